package floorplan

import (
	"fmt"
	"slices"
	"strings"
)

// Package is what the judgement needs to know of one package.
type Package struct {
	Path    string   // import path
	Module  string   // the module it belongs to; "" for the standard library
	Imports []string // import paths, of the package alone
	Deps    []string // import paths, through any number of imports
}

// Faults returns one sentence for each thing that stands wrong in module.
// house holds the module's packages and all they reach.
func Faults(module string, house []Package) []string {
	var faults []string
	say := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }

	foreign := map[string]bool{} // packages of other modules
	for _, p := range house {
		foreign[p.Path] = p.Module != "" && p.Module != module
	}
	own := func(path string) (string, bool) { return strings.CutPrefix(path, module+"/") }

	for _, p := range house {
		name, ours := own(p.Path)
		if !ours {
			continue
		}
		here := find(name)
		if here.floor == 0 {
			say("%s stands on no floor: add it to its line of floors in internal/floorplan/floors.go "+
				"and to ARCHITECTURE.md, or move its code into the package that uses it", name)
			continue
		}
		for _, path := range p.Imports {
			if other, ours := own(path); ours && find(other).rank > here.rank {
				say("%s imports %s, which stands above it: pass in what it needs, "+
					"or move the shared part down", name, other)
			}
		}
		inCore, inBrowser := here.floor <= pureFloors, covers(browser, name)
		for _, path := range p.Deps {
			other, ours := own(path)
			switch {
			case ours && inBrowser && find(other).floor > pureFloors && !covers(browser, other):
				say("%s reaches %s: a browser binary holds floors 1 to %d only", name, other, pureFloors)
			case ours && strings.Contains(other, "credential/internal/proven") && !mayProve(name, p.Imports, path):
				say("%s imports %s: only the packages that open credentials may call something proven", name, other)
			case (inCore || inBrowser) && slices.Contains(outside, path):
				say("%s reaches %s: the pure core takes bytes, times and lists as arguments "+
					"(go list -deps tells by which way)", name, path)
			case (inCore || inBrowser) && foreign[path] && !slices.Contains(coreModules, path):
				say("%s reaches %s: the pure core links the standard library and %s only", name, path,
					strings.Join(coreModules, ", "))
			}
			for _, pair := range apart {
				if ours && (covers(pair[0], name) && covers(pair[1], other) || covers(pair[1], name) && covers(pair[0], other)) {
					say("%s reaches %s: these two never meet; a desk on floor 4 stands between them", name, other)
				}
			}
		}
	}
	return faults
}

// mayProve reports whether a package may reach proven: by importing it inside
// credential/, or from anywhere through those that do.
func mayProve(name string, imports []string, proven string) bool {
	return covers("credential/...", name) || !slices.Contains(imports, proven)
}
