package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"aidpass/access"
	"aidpass/internal/qrcode"
	"aidpass/verifier/enrol"
)

// Addresses of the demo, where nobody else has them.
const (
	demoHTTP  = "localhost:8080"
	demoHTTPS = ":8443"
)

// demoHost is the name in credentials of the demo's first organisation: wallets are told
// that this laptop has it.
const demoHost = "relief-a.example"

// keepServing serves the demo's first organisation until somebody stops it.
func (d *demo) keepServing() error {
	d.title("13. Now with a phone: the server is on")
	err := d.quiet("site-ca", "init", "--name", "aidpass demo", "--host", demoHost)
	if err != nil {
		return err
	}
	http, https := demoHTTP, demoHTTPS
	if !free(http) || !free(https) {
		if https, err = anyPort(); err != nil {
			return err
		}
		http = "localhost:0"
		d.tell("another program has port 8080 or 8443 on this machine: the demo takes ports that are free")
	}
	for {
		// Wallets on this laptop know it as localhost: no name has to be made for them.
		args := append([]string{"serve", "--http", http, "--listen", https, "--base-url", "https://localhost" + https, "--host", demoHost}, d.contents()...)
		d.show(args)
		listens := false
		m := &Main{Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: d.Stderr, Now: d.Now, WorkFactor: demoWorkFactor, ListSize: d.ListSize,
			Env: d.lookup, served: func(ctx context.Context, s *serving) error { listens = true; return d.welcome(ctx, s) }}
		code := m.Run(d.ctx, args)
		if code == exitUsage && !listens && http == demoHTTP {
			if https, err = anyPort(); err != nil {
				return err
			}
			http = "localhost:0" // somebody was quicker
			continue
		}
		if code != 0 {
			return fmt.Errorf("demo: aidpass serve: exit code %d", code)
		}
		break
	}
	d.tell("\nThe demo is closed. %s keeps it for looking into; --again builds a new one. Thank you for trying it.", d.dir)
	return nil
}

// anyPort is an address of a port that nobody has at this moment. It is found beforehand,
// since wallets' addresses have it in them.
func anyPort() (string, error) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return ":" + port, err
}

// free tells whether an address can be listened on at this moment.
func free(address string) bool {
	l, err := net.Listen("tcp", loopback(address))
	if err != nil {
		return false
	}
	l.Close()
	return true
}

// welcome tells how a phone comes here, and sees to it that whoever tries alone is
// asked for the confirmation.
func (d *demo) welcome(ctx context.Context, s *serving) error {
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.local, "http://"))
	if err != nil {
		return err
	}
	d.tell("\nOn this laptop, in a browser with a camera:")
	d.tell("  open %s/scanner/ (%s/ tells how phones are set up)", s.local, s.local)
	for _, line := range s.walletLines() {
		d.tell("  %s", line)
	}
	if err := d.staff(ctx, s); err != nil {
		return err
	}
	d.walletSays(s)
	d.tell("\nOn an Android phone by USB cable, with no certificate:")
	d.tell("  adb reverse tcp:%s tcp:%s   then open %s/ on the phone", port, port, s.local)
	d.tell("\nOn phones in the same Wi-Fi:")
	for _, address := range s.https() {
		d.tell("  open %s/", address)
	}
	if s.ca != nil {
		d.tell("  The phone warns, once: go on, install the authority that the page offers (%s), and open the page again.\n  Its SHA-256 fingerprint, as the phone shows it in its settings:\n  %s", siteCAPath, siteCAPrint(s.ca))
	}
	if err := d.newCode(ctx, s); err != nil {
		return err
	}
	d.tell("\nThen, on the phone:")
	d.tell("  1 name it and make its key; 2 choose “Enrol with the server”: the code is filled in; 3 compare the six words with those shown here")
	if d.isTerminal() {
		d.tell("    (this terminal asks you y/n as soon as the phone has asked; Enter makes a code for another phone);")
	} else {
		d.tell("    (the command that confirms it is printed here as soon as the phone has asked);")
	}
	d.tell("  4 choose a PIN for the supervisor")
	d.tell("  5 open a shift: scan the badge on the sheet of demo cards, or type the staff code %s and the operator's code well-4711", demoStaff)
	d.tell("  6 scan the sheet, on paper printed at 100 %% or from the screen: %s", d.in("out", "demo-cards.pdf"))
	d.tell("  What was given is sent by itself while the server can be reached (This shift, “Send to the server”); then: %s visits report", d.hand())
	d.tell("\nCtrl-C ends the demo.")
	go d.watchPhones(ctx, s)
	return nil
}

// demoAccounts are who works at the demo's desk: nobody approves what they asked for.
var demoAccounts = []struct {
	id, says string
	roles    []access.Role
}{
	{"amina", "takes lists in, corrects people, issues and prints", []access.Role{access.Registrar, access.Issuer, access.DistributionLead, access.OrgAdmin}},
	{"bilal", "approves what she asked for", []access.Role{access.Approver, access.OrgAdmin, access.DataProtection}},
}

// staff makes the accounts of the desk and tells how each comes in.
func (d *demo) staff(ctx context.Context, s *serving) error {
	d.tell("\nThe desk, where a list becomes cards and two people are needed (%s/desk/):", s.local)
	for _, who := range demoAccounts {
		secret, err := s.door.Invite(ctx, access.Laptop(s.a.actor(access.OrgAdmin)), access.NewAccount{ID: who.id, Roles: who.roles, Language: "en"})
		if err != nil {
			return err
		}
		d.tell("  %s %s: open %s/desk/join/%s", who.id, who.says, s.local, secret)
	}
	d.tell("  Each address is good once: choose a password and scan the code for a phone's authenticator, or make a passkey. Two people\n  need two browsers, or a private window. To sign in later: %s/desk/", s.local)
	return nil
}

// walletSays tells how a wallet on this laptop takes an offer up: one that is made at the
// desk, or by the command.
func (d *demo) walletSays(s *serving) {
	u, err := url.Parse(s.f.base)
	if err != nil {
		return
	}
	ca := d.in("relief-a", "site-ca", "site-ca.crt")
	d.tell("\nA wallet on this laptop, in a folder (AIDPASS_WALLET_PASSPHRASE_FILE names a file with its passphrase, or it asks):")
	d.tell("  %s offer create --external HH-013 --type eligibility --programme K7Q2 --round 1 --base-url %s\n  or at the desk: Offers. Then, with the LINK and the CODE that are shown:", d.hand(), s.f.base)
	d.tell("  aidpass wallet init")
	d.tell("  aidpass wallet add LINK --code CODE --development --ca %s --trust %s", ca, d.in("out", "trust.list"))
	d.tell("  aidpass wallet list --check --development --ca %s --at %s=127.0.0.1:%s", ca, demoHost, u.Port())
}

// hand is how the user types a command in the demo's organisation.
func (d *demo) hand() string {
	program := "aidpass"
	if p, err := os.Executable(); err == nil {
		program = p
	}
	return fmt.Sprintf("AIDPASS_DATA=%s AIDPASS_PASSPHRASE_FILE=%s %s", d.in("relief-a"), d.env["AIDPASS_PASSPHRASE_FILE"], program)
}

// newCode makes an enrolment code and shows it, with an address for a phone and for
// this laptop.
func (d *demo) newCode(ctx context.Context, s *serving) error {
	code, until, err := s.o.store.NewEnrolmentCode(ctx, s.a.actor(access.OrgAdmin), "WELL-A")
	if err != nil {
		return err
	}
	link := func(address string) string { return address + "/scanner/#enrol=" + code }
	d.tell("\nThe enrolment of one phone: scan this with the phone's own camera, or open the line for it.")
	m, err := qrcode.Matrix(link(s.best()), qrcode.M)
	if err != nil {
		return err
	}
	writeBlocks(d.Stdout, m, d.stdoutIsTerminal())
	for _, address := range append(slices.Clone(s.https()), s.local) {
		d.tell("  %s", link(address))
	}
	d.tell("  the code is %s-%s, until %s", code[:4], code[4:], until.Local().Format("15:04"))
	return nil
}

// lookForPhones is how often the demo looks whether a phone asks.
const lookForPhones = 500 * time.Millisecond

// watchPhones asks the person at the terminal about each phone that wants to join,
// or prints the command that confirms it, until ctx ends.
func (d *demo) watchPhones(ctx context.Context, s *serving) {
	lines := make(chan string)
	if d.isTerminal() {
		go func() { // ends with the process: a read of a terminal cannot be called back
			for in := bufio.NewScanner(d.Stdin); in.Scan(); {
				lines <- strings.ToLower(strings.TrimSpace(in.Text()))
			}
		}()
	}
	tick := time.NewTicker(lookForPhones)
	defer tick.Stop()
	told := map[string]bool{}
	var asked access.Device // the phone that the question on the screen is about
	for {
		select {
		case <-ctx.Done():
			return
		case line := <-lines:
			if err := d.answer(ctx, s, asked, line); err != nil {
				d.tell("%v", err)
			}
			asked = access.Device{}
		case <-tick.C:
			waiting, err := s.o.pending(ctx)
			if err != nil || asked.Key != nil {
				continue // the next look is soon
			}
			for _, w := range waiting {
				if id := w.ID(); !told[id] {
					told[id] = true
					if d.ask(w); d.isTerminal() {
						asked = w
						break
					}
				}
			}
		}
	}
}

// ask tells of a phone that waits.
func (d *demo) ask(w access.Device) {
	d.tell("\nA phone called %q asks to join WELL-A. Its screen must show these six words:\n  %s", w.Name, enrol.Words(w.Key))
	if d.isTerminal() {
		fmt.Fprint(d.Stdout, "Does it? [y/n] ")
		return
	}
	d.tell("where it does:  %s device confirm %s --words %q\nwhere not:      %s device refuse %s", d.hand(), w.ID(), enrol.Words(w.Key), d.hand(), w.ID())
}

// answer does what was typed: about the phone that was asked about, or Enter for a
// new code.
func (d *demo) answer(ctx context.Context, s *serving, asked access.Device, line string) error {
	switch {
	case asked.Key == nil:
		return d.newCode(ctx, s)
	case line == "y" || line == "yes":
		c, err := s.a.certificate(30, []string{"journal", "challenge"}, "")
		if err != nil {
			return err
		}
		c.Key, c.Site = asked.Key, asked.Site
		s.packs.mu.Lock() // which uses the same keys
		defer s.packs.mu.Unlock()
		if _, err := s.o.certify(ctx, s.a.actor(access.OrgAdmin), c, asked.Name, ""); err != nil {
			return err
		}
		d.tell("Confirmed. On the phone press the button once more: its lists come.")
		return nil
	}
	asked.State, asked.Reason = access.DeviceRefused, "not_confirmed"
	if err := s.o.store.SaveDevice(ctx, s.a.actor(access.OrgAdmin), asked); err != nil {
		return err
	}
	d.tell("Refused: the phone gets nothing. Enter makes another code.")
	return nil
}
