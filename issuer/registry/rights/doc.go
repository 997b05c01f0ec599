// Package rights keeps an organisation's word to the people in its register: what they
// were told, what they agreed to and took back, to whom anything about them may go and
// went, what they asked for, and when what is known of them ends.
//
//   - A [Notice] is the wording of what is said to people. It tells (information notice)
//     or asks (consent), and never calls the one the other.
//   - A consent is an answer to a question, a recipient each. It is a part of the person's
//     record (registry.Consent), sealed and erased with it. No service depends on it.
//   - An [Agreement] names another party, a purpose, fields, areas, an end. Two people make
//     one; without a live one nothing leaves for others.
//   - A [Share] says what left under which agreement. A [Recall] tells who got it that
//     somebody took her yes back; a letter of theirs answers it (docs/formats/recall.md).
//   - A [Request] is what somebody asked about her data, until it is answered.
//   - [Terms] say how long each class of data is kept; [Desk.Due] lists what is over. Nothing is
//     ever deleted by a clock.
//
// [Desk] does all of it on a [Store]. Files are package export's.
package rights
