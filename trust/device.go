package trust

import (
	"bytes"

	"aidpass/credential"
	"aidpass/internal/cbor"
	"aidpass/internal/cose"
	"aidpass/words"
)

// TypeDevice is the typ of a device certificate.
const TypeDevice = "application/aidpass-device+cose"

// What a device may sign, in DeviceCertificate.MaySign.
const (
	SignJournal   uint64 = 1
	SignSlip      uint64 = 2 // referral slips, under its block of status indexes
	SignChallenge uint64 = 3
)

// Longest lives: a lost device is over when its certificate is.
const (
	MaxDeviceLife = 30 * day // seconds between the dates of a certificate
	MaxSlipLife   = 30 * day // seconds between iat and exp of a slip
)

// DeviceCertificate is what an organisation lets one enrolled device do. It is
// signed by a device-ca key of the organisation, and nothing is signed by it
// but the device's own work: depth one.
type DeviceCertificate struct {
	Org                 string    // id
	Site                string    // code of the service point
	DeviceID            []byte    // 8 to 16 bytes
	Key                 *cose.Key // P-256
	NotBefore, NotAfter credential.Time
	MaySign             []uint64     // rising; see SignJournal and its like
	Block               *StatusBlock // reserved for its slips; nil: none
	Ceiling             string       // opaque code of the pack's tables; may be empty

	// Raw is the certificate as it was signed: the very bytes that it was read from. A
	// challenge carries it; PrepareDevice does not look at it.
	Raw []byte
}

// StatusBlock is a range of entries of one status list.
type StatusBlock struct {
	URI          string
	First, Count uint64
}

// holds reports whether s lies in the block.
func (b *StatusBlock) holds(s credential.StatusRef) bool {
	return b != nil && s.Present && string(s.URI) == b.URI && s.Index >= b.First && s.Index-b.First < b.Count
}

// May reports whether the device may sign what.
func (c *DeviceCertificate) May(what uint64) bool {
	for _, w := range c.MaySign {
		if w == what {
			return true
		}
	}
	return false
}

// Judge says whether the device's key counts for something signed at iat and
// looked at now: OK or KeyOutsideValidity. Whether the device-ca key does is for
// Key.Judge with the certificate's NotBefore as iat.
func (c *DeviceCertificate) Judge(iat, at credential.Time) words.Reason {
	for _, t := range [2]credential.Time{iat, at} {
		if t < c.NotBefore || t > c.NotAfter {
			return words.KeyOutsideValidity
		}
	}
	return words.OK
}

// JudgeSlip is Judge for a slip: IssuerNotAuthorised unless the device may sign
// slips, the slip's status entry lies in the device's block and the slip lives
// at most MaxSlipLife; then its dates. That the slip is a referral, that the
// organisation may issue referrals and that it owns the status list are for the
// caller to check.
func (c *DeviceCertificate) JudgeSlip(status credential.StatusRef, iat, exp, at credential.Time) words.Reason {
	if !c.May(SignSlip) || !c.Block.holds(status) || exp < iat || exp-iat > MaxSlipLife {
		return words.IssuerNotAuthorised
	}
	return c.Judge(iat, at)
}

// check says what is wrong with a certificate, OK if nothing is.
func (c *DeviceCertificate) check() (words.Reason, string) {
	switch {
	case checkID(c.Org) != "":
		return words.BadClaims, "organisation: " + checkID(c.Org)
	case checkText(c.Site, maxCode) != "":
		return words.BadClaims, "site: " + checkText(c.Site, maxCode)
	case c.Ceiling != "" && checkText(c.Ceiling, maxCode) != "":
		return words.BadClaims, "ceiling: " + checkText(c.Ceiling, maxCode)
	case len(c.DeviceID) < 8 || len(c.DeviceID) > 16:
		return words.BadClaims, "a device id has 8 to 16 bytes"
	case c.Key == nil || c.Key.Alg() != cose.ES256:
		return words.AlgNotAllowed, "a device key is a P-256 key"
	case c.NotBefore < 1 || c.NotAfter < c.NotBefore || c.NotAfter > credential.MaxTime:
		return words.BadClaims, "it ends before it begins"
	case c.NotAfter-c.NotBefore > MaxDeviceLife:
		return words.LifetimeTooLong, "a device certificate lives 30 days at most"
	}
	for i, w := range c.MaySign {
		if w < 1 || i > 0 && w <= c.MaySign[i-1] || i >= 16 {
			return words.BadClaims, "what it may sign is not in rising order"
		}
	}
	if b := c.Block; b != nil {
		switch {
		case checkStatusURI(b.URI) != "" || len(b.URI) > maxURI:
			return words.BadClaims, "block: no status list URI"
		case b.Count < 1 || b.Count > 1<<24 || b.First > 1<<24-b.Count:
			return words.BadClaims, "block: outside any status list"
		}
	}
	return words.OK, ""
}

// PrepareDevice makes a certificate ready to be signed by the device-ca key ca.
// A certificate that OpenDevice would not take is a *Refusal.
func PrepareDevice(ca *cose.Key, c DeviceCertificate) (*cose.Prepared, error) {
	if reason, why := c.check(); reason != words.OK {
		return nil, refuse(reason, "device certificate: %s", why)
	}
	if c.Key.Thumbprint() == ca.Thumbprint() {
		return nil, refuse(words.BadKey, "device certificate: the device key is the device-ca key")
	}
	n := 7
	if c.Block != nil {
		n++
	}
	if c.Ceiling != "" {
		n++
	}
	b := cbor.AppendMap(nil, n)
	b = cbor.AppendText(append(b, 1), c.Org)
	b = cbor.AppendBytes(append(b, 2), c.DeviceID)
	b = c.Key.Append(append(b, 3))
	b = cbor.AppendText(append(b, 4), c.Site)
	b = cbor.AppendUint(append(b, 5), uint64(c.NotBefore))
	b = cbor.AppendUint(append(b, 6), uint64(c.NotAfter))
	b = cbor.AppendArray(append(b, 7), len(c.MaySign))
	for _, w := range c.MaySign {
		b = cbor.AppendUint(b, w)
	}
	if s := c.Block; s != nil {
		b = cbor.AppendText(append(b, 8, 0x83), s.URI)
		b = cbor.AppendUint(b, s.First)
		b = cbor.AppendUint(b, s.Count)
	}
	if c.Ceiling != "" {
		b = cbor.AppendText(append(b, 9), c.Ceiling)
	}
	return cose.Prepare(ca, TypeDevice, b, nil), nil
}

// readDevice reads the payload of a certificate.
func readDevice(payload []byte) (*DeviceCertificate, error) {
	if err := cbor.CheckDeterministic(payload, cbor.DefaultLimits); err != nil {
		return nil, err
	}
	c := &DeviceCertificate{}
	var bad, badKey error
	r := cbor.NewReader(payload)
	err := members(&r, 0xfe, 1<<8|1<<9, func(label uint64) {
		switch label {
		case 1:
			c.Org = string(r.Text())
		case 2:
			c.DeviceID = bytes.Clone(r.Bytes())
		case 3:
			c.Key, badKey = readKeyBytes(r.Raw())
		case 4:
			c.Site = string(r.Text())
		case 5:
			c.NotBefore = readTime(&r, &bad)
		case 6:
			c.NotAfter = readTime(&r, &bad)
		case 7:
			for n := r.Array(); n > 0; n-- {
				c.MaySign = append(c.MaySign, r.Uint())
			}
		case 8:
			if r.Array() != 3 && bad == nil {
				bad = refuse(words.BadClaims, "block: not three members")
				return
			}
			c.Block = &StatusBlock{URI: string(r.Text()), First: r.Uint(), Count: r.Uint()}
		case 9:
			if c.Ceiling = string(r.Text()); c.Ceiling == "" && bad == nil {
				bad = refuse(words.BadClaims, "ceiling: empty")
			}
		}
	})
	for _, e := range [...]error{badKey, bad, err} {
		if e != nil {
			return nil, e
		}
	}
	if reason, why := c.check(); reason != words.OK {
		return nil, refuse(reason, "%s", why)
	}
	return c, nil
}

// OpenDevice reads a device certificate and checks it against the device-ca key
// that its organisation lists. It returns that key too, whose profile says
// whether the organisation's devices may sign slips.
//
// With OK the certificate is signed, well formed, of at most 30 days, and
// begins inside the validity of a device-ca key that is not compromised. Its
// dates and a retired device-ca key are judged by the caller, who knows the
// time: DeviceCertificate.Judge or JudgeSlip, and Key.Judge. Any other reason
// comes with nil: those of List.Find and Key.Judge, BadSignature, BadKey (the
// device key has another duty), LifetimeTooLong, BadClaims, or the fault of the
// bytes.
func (l *List) OpenDevice(raw []byte) (*DeviceCertificate, *Key, words.Reason) {
	m, err := cose.ParseSign1(raw)
	if err == nil {
		err = m.StrictType(TypeDevice)
	}
	if err != nil {
		return nil, nil, reasonFor(err)
	}
	// The organisation that the payload claims is a hint to find the key by.
	ca, reason := l.Find(deviceOrg(m.Payload), m.KeyID(), UseDeviceCA)
	if reason != words.OK {
		return nil, nil, reason
	}
	if err := m.Verify(ca.Key, nil, nil, true); err != nil {
		return nil, nil, reasonFor(err)
	}
	c, err := readDevice(m.Payload)
	if err != nil {
		return nil, nil, reasonFor(err)
	}
	if l.thumbs[c.Key.Thumbprint()] {
		return nil, nil, words.BadKey
	}
	if reason := ca.Judge(c.NotBefore, c.NotBefore); reason != words.OK {
		return nil, nil, reason
	}
	c.Raw = raw
	return c, ca, words.OK
}

// ReadDevice reads a device certificate without believing it: for whoever has no
// trust list, as a wallet, and for the device itself. The error is that of the bytes
// or a *Refusal.
func ReadDevice(raw []byte) (*DeviceCertificate, error) {
	m, err := cose.ParseSign1(raw)
	if err == nil {
		err = m.StrictType(TypeDevice)
	}
	if err != nil {
		return nil, err
	}
	c, err := readDevice(m.Payload)
	if err != nil {
		return nil, err
	}
	c.Raw = raw
	return c, nil
}

// deviceOrg reads member 1 of a certificate, which stands first.
func deviceOrg(payload []byte) []byte {
	r := cbor.NewReader(payload)
	if r.Map() > 0 && r.Kind() == cbor.Uint && r.Uint() == 1 {
		return r.Text()
	}
	return nil
}
