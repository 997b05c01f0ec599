package demoworld

// A community gives names as its people do. The names are common ones; nobody in
// particular is meant.
type community struct {
	lang   string // ISO 639-1 of the card's words, where they ship; else en
	women  []string
	men    []string
	family []string // empty: people have one name, or are called after father and grandfather
	chain  bool     // own name, then father's, then grandfather's
}

var communities = []community{
	{lang: "sw", chain: true,
		women: []string{"Amina", "Hodan", "Fadumo", "Ayaan", "Halima", "Sahra"},
		men:   []string{"Abdi", "Warsame", "Farah", "Hassan", "Jama", "Yusuf"}},
	{lang: "ar", chain: true,
		women: []string{"فاطمة", "مريم", "عائشة", "نور", "هدى", "سلمى"},
		men:   []string{"يوسف", "أحمد", "محمد", "خالد", "إبراهيم", "عمر"}},
	{lang: "en", chain: true,
		women: []string{"ልደት", "ሰላማዊት", "ትርሐስ", "ለምለም", "አበባ"},
		men:   []string{"ተስፋዬ", "ገብረመድህን", "ሃይለ", "ኪዳነ", "ዮሃንስ"}},
	{lang: "en", // one name each
		women: []string{"Achol", "Nyandeng", "Ayen", "Abuk"},
		men:   []string{"Deng", "Garang", "Majok", "Bol"}},
	{lang: "en", // one name each, as Burmese names are: no part is a family's
		women: []string{"အေးအေးမွန်", "နွယ်နွယ်", "ခင်မာ", "စုစုလွင်"},
		men:   []string{"အောင်ကျော်", "မင်းသူ", "ဇော်မင်း", "ကျော်ဇင်"}},
	{lang: "en",
		women:  []string{"রাশিদা", "সুফিয়া", "নূরজাহান"},
		men:    []string{"আব্দুল", "মোহাম্মদ", "জাহাঙ্গীর"},
		family: []string{"বেগম", "উদ্দিন", "হোসেন"}},
	{lang: "en",
		women:  []string{"सुनीता", "लक्ष्मी", "कृष्णा"},
		men:    []string{"राम", "श्याम", "विष्णु"},
		family: []string{"तामाङ", "श्रेष्ठ", "गुरुङ"}},
	{lang: "en",
		women:  []string{"ស្រីមុំ", "សុភា", "ចន្ទ្រា"},
		men:    []string{"សុខ", "វិចិត្រ", "ដារ៉ា"},
		family: []string{"ជា", "លឹម", "កែវ"}},
	{lang: "en",
		women:  []string{"สมหญิง", "มาลี", "กัญญา"},
		men:    []string{"สมชาย", "ณัฐพล", "วิชัย"},
		family: []string{"ใจดี", "ศรีสุข", "ทองคำ"}},
	{lang: "en",
		women:  []string{"Оксана", "Людмила", "Ганна"},
		men:    []string{"Тарас", "Микола", "Юрій"},
		family: []string{"Шевчук", "Коваленко", "Мельник"}},
	{lang: "fr",
		women:  []string{"Marie-Claire", "Espérance", "Béatrice", "Joséphine"},
		men:    []string{"Jean-Bosco", "Désiré", "Étienne", "Cédric"},
		family: []string{"Ndayisaba", "Niyonzima", "Hakizimana", "Ntahobari"}},
	{lang: "es",
		women:  []string{"María José", "Lucía", "Yoselin"},
		men:    []string{"José Ángel", "Iñaki", "Raúl"},
		family: []string{"Núñez Peña", "Gutiérrez", "Quiñones"}},
}
