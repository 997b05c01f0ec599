package api

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"

	"github.com/labstack/echo/v5"

	"aidpass/access"
	"aidpass/internal/cbor"
)

// Limits of one upload. A device sends its journal in parts, oldest first.
const (
	MaxUploadBytes   = 1 << 20
	MaxUploadRecords = 1000
)

// An AckState is what became of one record.
type AckState string

// The states. What is accepted, known or kept for review is on our disk: the
// device may forget it. A refused record is not, and stays as it is however often
// it is sent.
const (
	Accepted AckState = "accepted"
	Known    AckState = "known"  // it was here already
	Review   AckState = "review" // kept; somebody has to look at it
	Refused  AckState = "refused"
)

// An Ack is the answer to one record.
type Ack struct {
	Sequence uint64   // of the record; 0 where it could not be read
	Hash     [32]byte // SHA-256 of the record as it was sent
	State    AckState
	Reason   string   // code, of refused ones and those for review
	Flags    []string // codes of what is doubtful about it
}

// ackLabel begins every answer to an upload. A captive portal's page, a proxy's
// error or half an answer does not hold it together with the hash of each record,
// and so is never taken for an acknowledgement.
const ackLabel = "aidpass-ack-1"

type ackAnswer struct {
	Ack     string      `json:"ack"`
	Device  string      `json:"device"`
	Records []ackRecord `json:"records"`
	Receipt string      `json:"receipt,omitempty"` // base64url
}

type ackRecord struct {
	Sequence uint64   `json:"sequence"`
	SHA256   string   `json:"sha256"`
	State    AckState `json:"state"`
	Reason   string   `json:"reason,omitempty"`
	Flags    []string `json:"flags,omitempty"`
}

// journal takes in records of a device: each counts by itself, in any order, any
// number of times.
func (s *Server) journal(c *echo.Context) error {
	d, err := s.find(c)
	if err != nil {
		return err
	}
	switch d.State {
	case access.DeviceConfirmed, access.DeviceWithdrawn:
		// What a withdrawn device handed out before is not lost with it.
	case access.DevicePending:
		return errPending
	default:
		return errRefused
	}
	body, err := readBody(c, "application/cbor-seq", MaxUploadBytes)
	if err != nil {
		return err
	}
	records, err := splitSequence(body)
	if err != nil {
		return err
	}
	var acks []Ack
	err = s.Write(c.Request().Context(), func(ctx context.Context) (err error) {
		acks, err = s.Visits.Accept(ctx, d, records)
		return err
	})
	if err != nil {
		return err
	}
	if len(acks) != len(records) {
		return errors.New("api: not one acknowledgement for each record")
	}
	answer := ackAnswer{Ack: ackLabel, Device: d.ID(), Records: make([]ackRecord, len(acks))}
	for i, a := range acks {
		answer.Records[i] = ackRecord{a.Sequence, hex.EncodeToString(a.Hash[:]), a.State, a.Reason, a.Flags}
	}
	// Only who holds a good record of the device learns how many there are.
	if slices.ContainsFunc(acks, func(a Ack) bool { return a.State != Refused }) {
		receipt, err := s.Visits.Receipt(c.Request().Context(), d)
		if err != nil {
			s.Log.Error("no receipt", "request", RequestID(c.Response()), "code", access.ErrorCode(err)) // the records are stored all the same
		}
		answer.Receipt = base64.RawURLEncoding.EncodeToString(receipt)
	}
	writeJSON(c.Response(), http.StatusOK, answer)
	return nil
}

// splitSequence cuts a CBOR sequence (RFC 8742) into its items. One that is cut
// off, empty or too long is refused whole: it is sent again.
func splitSequence(body []byte) (records [][]byte, err error) {
	for len(body) > 0 {
		n, _, err := cbor.Scan(body, cbor.DefaultLimits)
		if err != nil {
			return nil, &problem{errBody.status, errBody.code, "not a sequence of whole records", 0}
		}
		if len(records) == MaxUploadRecords {
			return nil, errTooLarge
		}
		records = append(records, body[:n:n])
		body = body[n:]
	}
	if len(records) == 0 {
		return nil, &problem{errBody.status, errBody.code, "no records", 0}
	}
	return records, nil
}
