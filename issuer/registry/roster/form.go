package roster

import "strings"

// label gives the columns what a form says of them: their labels, types and
// choices (XLSForm, sheets survey and choices, as KoBo writes them in JSON). Of
// several versions of a form the last that knows a column counts. A form is
// read as far as it is understood: the answers count, not the form.
func (s *submissions) label(form any) {
	top, _ := form.(map[string]any)
	if content, ok := top["content"].(map[string]any); ok {
		top = content
	}
	choices := map[string][]Choice{}
	for _, item := range listOf(top["choices"]) {
		if c := (Choice{textOf(item["name"]), labelOf(item)}); c.Code != "" {
			list := textOf(item["list_name"])
			choices[list] = append(choices[list], c)
		}
	}
	questions := map[string]Column{} // by path
	alone := map[string]string{}     // path by name; "" where two have it
	var path []string
	for _, item := range listOf(top["survey"]) {
		kind, rest, _ := strings.Cut(strings.ReplaceAll(textOf(item["type"]), "begin ", "begin_"), " ")
		name := textOf(item["name"])
		if name == "" {
			name = textOf(item["$autoname"])
		}
		switch {
		case kind == "begin_group" || kind == "begin_repeat" || kind == "begin_kobomatrix":
			path = append(path, name)
			continue
		case strings.HasPrefix(kind, "end_") || kind == "end" && rest != "":
			path = path[:max(0, len(path)-1)]
			continue
		case name == "":
			continue
		}
		list := textOf(item["select_from_list_name"])
		if list == "" {
			list, _, _ = strings.Cut(rest, " ")
		}
		required := strings.ToLower(textOf(item["required"]))
		full := strings.Join(append(path[:len(path):len(path)], name), "/")
		questions[full] = Column{
			Label: labelOf(item), Type: kind, Choices: choices[list], Tag: tagOf(textOf(item["hxl"])),
			Required: required == "true" || required == "yes",
		}
		if _, twice := alone[name]; twice {
			full = ""
		}
		alone[name] = full
	}
	for _, t := range s.order {
		for i := range t.Columns {
			c := &t.Columns[i]
			q, ok := questions[c.Name]
			if !ok {
				q, ok = questions[alone[c.Name[strings.LastIndexByte(c.Name, '/')+1:]]]
			}
			if ok {
				c.Label, c.Type, c.Choices, c.Tag, c.Required = q.Label, q.Type, q.Choices, q.Tag, q.Required
			}
		}
	}
}

// listOf returns the objects of a list.
func listOf(v any) []map[string]any {
	var out []map[string]any
	items, _ := v.([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

func textOf(v any) string {
	s, _ := v.(string)
	return s
}

// labelOf returns the label of a question or choice in the form's first language:
// a text, a list of one for each language, or "label::English (en)".
func labelOf(item map[string]any) string {
	switch label := item["label"].(type) {
	case string:
		return label
	case []any:
		for _, one := range label {
			if s := textOf(one); s != "" {
				return s
			}
		}
	}
	best := ""
	for name := range item {
		if strings.HasPrefix(name, "label:") && (best == "" || name < best) {
			best = name
		}
	}
	return textOf(item[best])
}
