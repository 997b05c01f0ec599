package qrcode

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
)

// maxModulePixels keeps the largest code (185 modules) below the pixels that
// ReadImage reads back.
const maxModulePixels = 32

// PNG returns the code for text as a black and white picture of one bit a pixel,
// with its quiet zone. A module is modulePixels wide, 1 to 32; readers want 4 or more.
func PNG(text string, level Level, modulePixels int) ([]byte, error) {
	if modulePixels < 1 || modulePixels > maxModulePixels {
		return nil, fmt.Errorf("qrcode: a module of %d pixels: want 1 to %d", modulePixels, maxModulePixels)
	}
	matrix, err := Matrix(text, level)
	if err != nil {
		return nil, err
	}
	side := (len(matrix) + 2*QuietZone) * modulePixels
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		row := y/modulePixels - QuietZone
		if row < 0 || row >= len(matrix) {
			continue
		}
		line := img.Pix[y*img.Stride:][:side]
		for x, dark := range matrix[row] {
			if dark {
				from := (x + QuietZone) * modulePixels
				for i := range modulePixels {
					line[from+i] = 1
				}
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("qrcode: %w", err)
	}
	return out.Bytes(), nil
}

// SVG returns the code for text as a drawing with its quiet zone, each module
// moduleMM millimetres wide. On paper use MinModuleMM or more.
func SVG(text string, level Level, moduleMM float64) ([]byte, error) {
	if !(moduleMM > 0 && moduleMM <= 100) {
		return nil, fmt.Errorf("qrcode: a module of %g mm: want more than 0, at most 100", moduleMM)
	}
	matrix, err := Matrix(text, level)
	if err != nil {
		return nil, err
	}
	side := len(matrix) + 2*QuietZone
	var out bytes.Buffer
	// crispEdges: a grey seam between two dark modules is a light line to a camera.
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%gmm" height="%gmm" viewBox="0 0 %d %d" shape-rendering="crispEdges">`,
		float64(side)*moduleMM, float64(side)*moduleMM, side, side)
	fmt.Fprintf(&out, `<path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="`, side, side)
	for y, row := range matrix {
		for x := 0; x < len(row); {
			if !row[x] {
				x++
				continue
			}
			from := x
			for x < len(row) && row[x] {
				x++
			}
			fmt.Fprintf(&out, "M%d %dh%dv1h-%dz", from+QuietZone, y+QuietZone, x-from, x-from)
		}
	}
	out.WriteString(`"/></svg>`)
	return out.Bytes(), nil
}
