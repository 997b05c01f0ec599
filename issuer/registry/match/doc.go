// Package match finds records of a register that may be one person.
//
// A Row is what is compared of somebody; an Index keeps rows in a compact form, from
// which no name can be printed but in small Latin letters and no document or telephone
// at all. Index.Run compares:
//
//  1. Rules put people into blocks: the same sound of a name and year of birth, the
//     same day of birth, document, telephone and so on. Who shares no block is not
//     compared. A block that grew too large is parted, and that is told.
//  2. How two people agree, field by field, is a pattern of levels. What is missing
//     counts for nothing; a birth is compared by what is known of it.
//  3. A Model says how often records of one person agree so, and how often two people
//     do by chance; rare names, and numbers that few have, tell more. The sum is the
//     chance that two records are one person (Fellegi and Sunter 1969).
//  4. Members of two households that fit support each other. Two of one household with
//     different given names are never told to be one.
//
// Groups joins pairs. Explain tells why. People decide: see package registry.
//
// The package knows no store, file or clock. DOMAIN.md 4; docs/duplicates.md;
// docs/decisions/0043.
package match
