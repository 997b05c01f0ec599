// Package intake turns a list of people into records of the registry: it guesses
// what each column means and asks where it cannot know, checks every row, says
// what is wrong with it and how to mend it, and writes all of a file or nothing.
//
//  1. MakePlan guesses a Plan: what each table and column is. A person looks at it
//     (Show), edits it, and keeps it for the next list of that form. What cannot
//     be guessed is a *Question, and nothing is read further.
//  2. Run reads the file twice in one transaction: first every row is checked
//     and compared with what is on record, then what can be stored truthfully is.
//  3. The Report counts every row as created, updated, duplicate or rejected, and
//     names each finding by row and column. Rejected rows come back in the form
//     they came in (WriteRejects), to be mended and imported again.
//
// Memory holds what identifies rows, and findings; never the rows. Files are for
// package roster, rules about names, births and codes for package registry,
// pictures for package photo. See docs/formats/imports.md.
package intake

import "fmt"

// Role says what the rows of a table are.
type Role string

// Roles of tables.
const (
	Households     Role = "households"             // a household a row
	People         Role = "people"                 // a person a row
	HeadRows       Role = "households_with_head"   // a household a row, with the name of its head
	PeopleInHouses Role = "people_with_households" // a person a row, who repeats what is said of the household
	Documents      Role = "documents"              // a document of a person a row
	Collectors     Role = "collectors"             // somebody who collects for a household a row
	Ignored        Role = "ignored"                // nothing of people
)

var roles = []Role{Households, People, HeadRows, PeopleInHouses, Documents, Collectors, Ignored}

// people reports whether a row makes a person, houses whether it makes a household.
func (r Role) people() bool { return r == People || r == HeadRows || r == PeopleInHouses }
func (r Role) houses() bool { return r == Households || r == HeadRows || r == PeopleInHouses }

// side reports whether rows add to records that other tables make.
func (r Role) side() bool { return r == Documents || r == Collectors }

func errorf(format string, args ...any) error { return fmt.Errorf("intake: "+format, args...) }
