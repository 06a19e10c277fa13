package people

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
)

// FileColumn returns the column of a dataset's rows that names the file beside each; empty
// where rows of the dataset have none.
func FileColumn(system, dataset string) string {
	return map[string]string{"events.media": "file", "support.calls": "recording", "community.posts": "image"}[system+"."+dataset]
}

// ContentColumn is the column of a row with what is in its file, in base64. No table has it.
const ContentColumn = "content"

// fileName names a file; with canaries it has no ending that a name needs, and keeps its form.
func (g *generator) fileName(name, ending string) any {
	if g.canary {
		return canary(g.who.Number, g.system+"."+name) + ending
	}
	return name + ending
}

// withFile gives a row what is in its file, where it has one and the population has files.
func (g *generator) withFile(dataset string, values map[string]any) {
	column := FileColumn(g.system, dataset)
	if column == "" || !g.population.files {
		return
	}
	name, _ := values[column].(string)
	switch {
	case name == "":
		values[ContentColumn] = nil
	case strings.HasSuffix(name, ".png"):
		values[ContentColumn] = base64.StdEncoding.EncodeToString(picture(textHash(name)))
	default:
		values[ContentColumn] = base64.StdEncoding.EncodeToString(sound(textHash(name)))
	}
}

// picture returns a small image, of colours of its own.
func picture(seed uint64) []byte {
	const side = 24
	img := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{
		color.White, color.RGBA{uint8(seed), uint8(seed >> 8), uint8(seed >> 16), 255},
	})
	for i := range img.Pix {
		// Two squares that stand across.
		img.Pix[i] = uint8((i%side/(side/2) + i/side/(side/2)) % 2)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // it is written to memory
	}
	return b.Bytes()
}

// sound returns a tenth of a second of a tone of its own, as a WAV file: 8,000 samples a second,
// of 8 bits each.
func sound(seed uint64) []byte {
	const rate, samples = 8000, 800
	var b bytes.Buffer
	b.WriteString("RIFF")
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v) // to memory
		}
	}
	put(uint32(36 + samples))
	b.WriteString("WAVEfmt ")
	put(uint32(16), uint16(1), uint16(1), uint32(rate), uint32(rate), uint16(1), uint16(8))
	b.WriteString("data")
	put(uint32(samples))
	pitch := 220 + float64(seed%660)
	for i := range samples {
		b.WriteByte(uint8(128 + 100*math.Sin(2*math.Pi*pitch*float64(i)/rate)))
	}
	return b.Bytes()
}
