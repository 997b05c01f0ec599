// Package registry knows the people and households of an organisation, the
// programmes they take part in and what they are due: who they are (names in any
// script, uncertain birth dates, documents, consents), who lives with whom, and
// how that changed. It splits and merges households, records deaths, and finds
// possible doubles when somebody is entered.
//
// It declares the Store it needs; package storage has it, sealed per person. What
// comes from files is for registry/roster (reading), registry/photo and
// registry/intake (meaning); what must be known before a card is signed for
// registry/quality; what leaves for registry/export. Cards are package issuer's.
//
// A record is a set of fields. Each field has its own version and history, so two
// people who edit two fields of one person lose nothing.
package registry
