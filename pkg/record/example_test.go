package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"

	"habeas.dev/pkg/record"
)

// Records are written as a stream, a section for each dataset.
func ExampleWriter() {
	var out bytes.Buffer
	w := record.NewWriter(&out)
	if err := w.Begin(record.Section{Dataset: "loans", Columns: []string{"book", "days"}}); err != nil {
		log.Fatal(err)
	}
	for i, book := range []string{"The Trial", "The Castle"} {
		if err := w.Write(record.Record{"book": book, "days": i + 7}); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Print(out.String())
	// Output:
	// {"habeas":"records/1"}
	// {"dataset":"loans","columns":["book","days"]}
	// ["The Trial",7]
	// ["The Castle",8]
	// {"end":2}
}

// A stream is read section by section, row by row; one that was cut short is told from
// one that ended.
func ExampleReader() {
	const text = `{"habeas":"records/1"}
{"dataset":"loans","columns":["book","days"]}
["The Trial",7]
`
	r := record.NewReader(bytes.NewBufferString(text))
	section, err := r.Next()
	if err != nil {
		log.Fatal(err)
	}
	for {
		row, err := r.Row()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println("cut short:", errors.Is(err, record.ErrTruncated))
			return
		}
		fmt.Printf("%s: %s = %s\n", section.Dataset, section.Columns[0], row[0])
	}
	// Output:
	// loans: book = "The Trial"
	// cut short: true
}
