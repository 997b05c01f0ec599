package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"aidpass/internal/qrcode"
	"aidpass/verifier/enrol"
)

// How a moving code is shown. Cheap cameras catch five codes a second (UI.md).
const (
	framesASecond  = 5
	framePixels    = 5    // a module
	maxGIFFrames   = 1000 // a picture of 160 KB each, held at once
	maxMovingBytes = enrol.MaxFrames * enrol.FrameBytes
)

func (a *app) framesCommand() *cobra.Command {
	var out string
	var speed, rounds int
	var terminal bool
	cmd := &cobra.Command{
		Use:   "frames FILE",
		Short: "Show any file as a moving row of QR codes for a phone's camera",
		Long: `Show any file as a moving row of QR codes: in this terminal until Ctrl-C, or as a GIF
that every screen can show. The phone reads it under Lists, "Scan moving codes", and
takes what it is: newer lists, a pack, the answer to its key, a receipt, or what
another table gave.

A code holds 400 bytes: 20 KB are 52 codes, a round of 11 seconds. Every second round
shows sums of codes, by which a phone makes up for those it missed: one in twenty costs
a second, one in four costs four. From about 100 KB a stick is quicker.`,
		Example: `  aidpass status delta --since well-a.pack --out lists.upd
  aidpass frames lists.upd
  aidpass frames lists.upd --out lists.gif
  aidpass frames tab-1.enrol --terminal --speed 4`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if speed < 1 || speed > 10 {
				return usagef("--speed %d", speed).hint("4 to 6 codes a second; 2 for an old camera")
			}
			message, err := readFile(args[0], maxMovingBytes)
			if err != nil {
				return err
			}
			texts, round := enrol.Row(message)
			if texts == nil {
				return usagef("%s is empty", args[0]).hint("name the file that the phone is to get")
			}
			if out != "" {
				return a.frameFile(out, message, round, speed)
			}
			if !terminal && !a.stdoutIsTerminal() {
				return usagef("this is no terminal to show codes in").hint("--out FILE.gif, or --terminal all the same")
			}
			return a.frameTerminal(cmd.Context(), texts, round, speed, rounds)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write them as a GIF instead")
	cmd.Flags().BoolVar(&terminal, "terminal", false, "show them here, also where this does not look like a terminal")
	cmd.Flags().IntVar(&speed, "speed", framesASecond, "codes a second, 1 to 10")
	cmd.Flags().IntVar(&rounds, "rounds", 0, "end after so many rounds (default: Ctrl-C ends)")
	return cmd
}

// frameFile writes a message as a GIF.
func (a *app) frameFile(out string, message []byte, round, speed int) error {
	if err := mustNotExist(out); err != nil {
		return err
	}
	moving, err := movingCode(message, speed)
	if err != nil {
		return err
	}
	if err := writeNew(out, moving, 0o644); err != nil {
		return err
	}
	seconds := (round + speed - 1) / speed
	return a.print(map[string]any{"file": out, "bytes": len(message), "codes": round, "seconds": seconds}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s, %d bytes, a round of %s\n", out, plural(round, "code", "codes"), len(message), plural(seconds, "second", "seconds"))
	})
}

// frameTerminal shows the codes here, over and over, until ctx ends. After a round of
// the file's own, those that follow in texts are counted from 1 again.
func (a *app) frameTerminal(ctx context.Context, texts []string, round, speed, rounds int) error {
	tick := time.NewTicker(time.Second / time.Duration(speed))
	defer tick.Stop()
	fmt.Fprint(a.Stdout, "\x1b[?25l\x1b[2J")         // no cursor, an empty screen
	defer fmt.Fprint(a.Stdout, "\x1b[?25h\x1b[0m\n") // as it was
	for n := 0; rounds == 0 || n < rounds*round; n++ {
		m, err := qrcode.Matrix(texts[n%len(texts)], qrcode.L)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		b.WriteString("\x1b[H")
		writeBlocks(&b, m, true)
		fmt.Fprintf(&b, "%*d of %d   Ctrl-C ends \x1b[J", len(fmt.Sprint(round)), n%len(texts)%round+1, round)
		if _, err := a.Stdout.Write(b.Bytes()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil // Ctrl-C is how it ends
		case <-tick.C:
		}
	}
	return nil
}

// movingCode shows a message as QR codes one after the other, over and over: a GIF,
// which every screen can show.
func movingCode(message []byte, speed int) ([]byte, error) {
	texts, round := enrol.Row(message)
	if texts == nil || round > maxGIFFrames {
		return nil, usagef("%d bytes are too many for a moving picture", len(message)).
			hint("carry the file over by USB or by the server; aidpass frames shows up to %d bytes in a terminal", maxMovingBytes)
	}
	texts = texts[:min(len(texts), maxGIFFrames)]
	g := gif.GIF{}
	side := 0
	var matrices [][][]bool
	for _, text := range texts {
		m, err := qrcode.Matrix(text, qrcode.L)
		if err != nil {
			return nil, err
		}
		matrices = append(matrices, m)
		side = max(side, (len(m)+2*qrcode.QuietZone)*framePixels)
	}
	for _, m := range matrices {
		img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
		margin := (side - len(m)*framePixels) / 2
		for y := range len(m) * framePixels {
			for x := range len(m) * framePixels {
				if m[y/framePixels][x/framePixels] {
					img.SetColorIndex(margin+x, margin+y, 1)
				}
			}
		}
		g.Image, g.Delay = append(g.Image, img), append(g.Delay, 100/speed) // hundredths of a second
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &g)
	return b.Bytes(), err
}

// writeBlocks draws a QR code by half blocks, two modules a character. Terminals
// are dark as often as light: with colours it is black on white on both.
func writeBlocks(w io.Writer, m [][]bool, colours bool) {
	light := func(y, x int) bool { return y < 0 || x < 0 || y >= len(m) || x >= len(m) || !m[y][x] }
	const margin = 2 // half of what the standard wants; phones read it, and it fits a small window
	for y := -margin; y < len(m)+margin; y += 2 {
		var line strings.Builder
		for x := -margin; x < len(m)+margin; x++ {
			switch up, down := light(y, x), light(y+1, x); {
			case up && down:
				line.WriteRune('█')
			case up:
				line.WriteRune('▀')
			case down:
				line.WriteRune('▄')
			default:
				line.WriteByte(' ')
			}
		}
		if colours {
			fmt.Fprintf(w, "\x1b[97;40m%s\x1b[0m\n", line.String())
		} else {
			fmt.Fprintln(w, line.String())
		}
	}
}
