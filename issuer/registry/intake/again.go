package intake

import (
	"slices"

	"aidpass/issuer/registry"
	"aidpass/issuer/registry/roster"
)

// Mended reports whether a file is one of rejected rows that WriteRejects wrote.
func Mended(file *roster.File) bool {
	return slices.ContainsFunc(file.Tables(), func(t roster.Table) bool {
		return slices.ContainsFunc(t.Columns, func(c roster.Column) bool { return c.Name == rowColumn })
	})
}

// PlanOf finds the plan by which the list was imported that rejected rows are of:
// the newest that knows all their columns. A few rows show less of what a column
// means than the whole list did, and what was answered once is not asked again.
func PlanOf(file *roster.File, imports []registry.ImportFile) (Plan, bool) {
	imports = slices.Clone(imports)
	slices.SortStableFunc(imports, func(a, b registry.ImportFile) int { return b.At.Compare(a.At) })
	for _, i := range imports {
		plan, err := ReadPlan(i.Plan)
		if err != nil {
			continue
		}
		if plan.narrow(file.Tables()) && plan.Questions(file) == nil {
			return plan, true
		}
	}
	return Plan{}, false
}

// narrow drops what the tables do not have, and reports whether the plan knows all
// they have.
func (p *Plan) narrow(tables []roster.Table) bool {
	var kept []TablePlan
	for _, table := range tables {
		t := p.table(table.Name)
		if t == nil {
			return false
		}
		narrowed := *t
		narrowed.Columns = nil
		for _, c := range table.Columns {
			switch plan := t.find(c.Name); {
			case plan != nil:
				narrowed.Columns = append(narrowed.Columns, *plan)
			case c.Name == rowColumn || c.Name == mendColumn:
				narrowed.Columns = append(narrowed.Columns, ColumnPlan{Column: c.Name, Field: Skip})
			default:
				return false
			}
		}
		kept = append(kept, narrowed)
	}
	p.Tables = kept
	return true
}
