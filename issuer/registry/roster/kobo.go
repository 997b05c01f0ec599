package roster

func (f *File) openJSON() error { return refuse("export the list as CSV or XLSX", "is a JSON file") }
func (f *File) openXML() error  { return refuse("export the list as CSV or XLSX", "is an XML file") }
