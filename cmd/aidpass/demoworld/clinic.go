package demoworld

import _ "embed"

// Clinic is a credential type of the health organisation's own (JSON Schema with
// x-aidpass), whose cards still count a few days after their end. ClinicURI is its name.
//
//go:embed clinic.json
var Clinic []byte

const ClinicURI = "https://health-b.example/types/clinic"
