package access

import "time"

// How long a session lasts.
const (
	SessionIdle = 30 * time.Minute // without a request
	SessionLife = 12 * time.Hour   // whatever happens
	StepUpLife  = 5 * time.Minute  // a proof of identity is fresh
)

// A Session is somebody at work, read anew at every request: Roles are those the account
// has now. The Account's organisation is the only one the session can reach.
type Session struct {
	Account Account
	Roles   []Role
	Created time.Time
	Seen    time.Time // newest request, to the minute
	Proved  time.Time // newest proof of identity: sign-in or step-up
}

// Fresh reports whether identity was proved at most StepUpLife before at.
func (s *Session) Fresh(at time.Time) bool {
	return !at.Before(s.Proved) && at.Sub(s.Proved) <= StepUpLife
}

// Check says whether the session may do a at this moment: nil, ErrNotAllowed or ErrStepUp.
func (s *Session) Check(a Act, at time.Time) error {
	rule, _ := RuleOf(a)
	switch {
	case !May(s.Roles, a):
		return ErrNotAllowed
	case rule.StepUp && !s.Fresh(at):
		return ErrStepUp
	}
	return nil
}

// Actor is how the session stands in the log when it does a, at a device (may be empty).
func (s *Session) Actor(a Act, device string) Actor {
	return Actor{ID: s.Account.ID, Role: RoleFor(s.Roles, a), Device: device}
}
