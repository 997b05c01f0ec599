package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"aidpass/access"
	"aidpass/issuer/registry/intake"
	"aidpass/issuer/registry/quality/indicator"
	"aidpass/issuer/registry/roster"
	"aidpass/web/console"
)

func (a *app) qualityPlacesCommand() *cobra.Command {
	var yes int
	cmd := &cobra.Command{
		Use:   "places FILE|show",
		Short: "Load the country's list of place codes, or tell what is loaded",
		Long: `Load the country's list of place codes: a CSV or XLSX, as OCHA's COD-AB are, with columns
pcode, admN_pcode or code, names beside them, and valid_from and valid_to (validOn,
validTo) where there are any. It takes the place of the list before.

Without --yes nothing is kept: it tells how many codes of each level the file has, and how
many place codes of the records would be unknown or not in use. "show" tells the same of
the list that is loaded.`,
		Example: `  aidpass quality places som_adminboundaries.xlsx
  aidpass quality places som_adminboundaries.xlsx --yes 146
  aidpass quality places show`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := args[0]
			show := path == "show"
			if show {
				path = ""
			}
			list, err := a.placeList(path)
			var unreadable *roster.FileError
			switch {
			case errors.As(err, &unreadable):
				return rosterError(err)
			case err != nil:
				return usagef("%w", err).hint("a CSV or XLSX with a column pcode, adm2_pcode or code; --help shows examples")
			}
			if list == nil {
				return usagef("no list of place codes is loaded").hint("aidpass quality places FILE looks at one")
			}
			o, err := a.openOrg(cmd.Context())
			if err != nil {
				return err
			}
			defer o.close()
			codes := len(list.List())
			switch {
			case show && cmd.Flags().Changed("yes"):
				return usagef("show changes nothing").hint("leave --yes out, or name the file")
			case cmd.Flags().Changed("yes") && yes != codes:
				return usagef("--yes %d: the file has %s", yes, plural(codes, "code", "codes")).hint("look at it without --yes")
			case cmd.Flags().Changed("yes"):
				return a.keepPlaces(cmd.Context(), o, list, codes)
			}
			return a.tellPlaces(cmd.Context(), o, path, list)
		},
	}
	cmd.Flags().IntVar(&yes, "yes", 0, "the number of codes, to load them")
	return cmd
}

// tellPlaces tells what a list has, and what of the records does not fit it.
func (a *app) tellPlaces(ctx context.Context, o *org, path string, list intake.Places) error {
	known, err := a.knownPlaces(path)
	if err != nil {
		return err
	}
	line := struct {
		Codes   int            `json:"codes"`
		Levels  map[string]int `json:"levels"` // codes by how deep they are; 0: of the country
		Days    int            `json:"with_days"`
		Looked  int64          `json:"looked_at"` // place codes of records in use
		Wrong   map[string]int `json:"wrong"`     // by code, as aidpass quality list DQ-10 lists them
		Records map[string]int `json:"unknown"`   // records by code that is not in the list
	}{Levels: map[string]int{}}
	for _, at := range list.List() {
		line.Codes++
		line.Levels[strconv.Itoa(known.Level(at.Code))]++
		if at.From+at.To != "" {
			line.Days++
		}
	}
	desk := a.qualityDesk(o, qualityFlags{places: path})
	if line.Looked, line.Wrong, line.Records, err = desk.TryPlaces(ctx); err != nil {
		return err
	}
	return a.print(line, func(w io.Writer) {
		fmt.Fprintf(w, "%s", plural(line.Codes, "code", "codes"))
		for _, level := range slices.Sorted(maps.Keys(line.Levels)) {
			fmt.Fprintf(w, ", adm%s %d", level, line.Levels[level])
		}
		if line.Days > 0 {
			fmt.Fprintf(w, "; %d with days of use", line.Days)
		}
		fmt.Fprintf(w, "\n%s in records:", plural(int(line.Looked), "place code", "place codes"))
		for _, code := range []string{indicator.CodePlace, indicator.CodeEnded, indicator.CodeShallow} {
			fmt.Fprintf(w, " %s %d", code, line.Wrong[code])
		}
		fmt.Fprintln(w)
		most := slices.Sorted(maps.Keys(line.Records))
		slices.SortStableFunc(most, func(x, y string) int { return cmp.Compare(line.Records[y], line.Records[x]) })
		for i, code := range most {
			if i == 20 {
				fmt.Fprintf(w, "  and %d more\n", len(most)-i)
				break
			}
			fmt.Fprintf(w, "  %s (not in the list)  %d\n", code, line.Records[code])
		}
		if path != "" {
			fmt.Fprintf(w, "nothing is kept; --yes %d loads the list\n", line.Codes)
		}
	})
}

// keepPlaces keeps a list. It stands in the log before it counts.
func (a *app) keepPlaces(ctx context.Context, o *org, list intake.Places, codes int) error {
	value := list.CSV()
	settings.Lock()
	defer settings.Unlock()
	e := access.Entry{Action: "settings.change", Object: console.SettingPlaces, Digest: sha256.Sum256(value)}
	if err := o.store.Note(ctx, a.actor(access.OrgAdmin), e); err != nil {
		return err
	}
	if err := writeFile(a.placesPath(), value); err != nil {
		return err
	}
	return a.print(map[string]any{"codes": codes, "file": a.placesPath()}, func(w io.Writer) {
		fmt.Fprintf(w, "%s loaded: %s\n", plural(codes, "code", "codes"), a.placesPath())
	})
}
