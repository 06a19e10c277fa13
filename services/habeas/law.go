package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/terminal"
)

type lawCommand struct {
	Check lawCheckCommand `cmd:"" help:"Read the files of laws, work out their examples, and list the values whose source's text wasn't read."`
	List  lawListCommand  `cmd:"" help:"List the laws: their rights, with the period of each."`
}

type lawCheckCommand struct {
	Files []string `arg:"" optional:"" help:"Files of laws; else those that are built in." placeholder:"FILE" type:"path"`
	JSON  bool     `name:"json" help:"As JSON, one line for each law."`
}

// Help implements kong.HelpProvider.
func (lawCheckCommand) Help() string {
	return `A law is a file: its rights, each with its periods, proof and grounds of refusal; what
its answers and letters say; and examples of due dates, which are worked out here and
whenever the file is read. Name its folder in the configuration, by laws:. A file with
the id of a law that is built in stands instead of it.

Every value has its source, and read: says how that was had: text, its own words were
read; survey, a summary by others; memory, nothing. read: at the file's head holds for
what has no mark of its own. What wasn't read as text, and what has no mark at all, is
listed, for a lawyer.

  habeas law check texas.yaml

Exit status 0: the file can be used; 1: one line says where, and what is wrong.`
}

// lawReport is what is said of one law's file.
type lawReport struct {
	File     string          `json:"file"`
	ID       string          `json:"id"`
	Rights   int             `json:"rights"`
	Examples int             `json:"examples"`
	Unread   []policy.Unread `json:"unread"`
}

// Run checks.
func (c *lawCheckCommand) Run() error {
	reports, err := c.reports()
	if err != nil {
		return err
	}
	for _, r := range reports {
		if c.JSON {
			if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
				return err
			}
			continue
		}
		terminal.Printf(os.Stdout, "%s: %s grants %d rights; %d examples come out. ", r.File, r.ID, r.Rights, r.Examples)
		if len(r.Unread) == 0 {
			terminal.Printf(os.Stdout, "The text of every source was read.\n")
			continue
		}
		terminal.Printf(os.Stdout, "%d values rest on sources whose text wasn't read:\n", len(r.Unread))
		for _, u := range r.Unread {
			terminal.Printf(os.Stdout, "  %s:%d: %s: %s (%s)\n", u.File, u.Line, u.Where, u.Source, cmp.Or(string(u.Read), "nobody says that it was read"))
		}
	}
	return nil
}

func (c *lawCheckCommand) reports() ([]lawReport, error) {
	var out []lawReport
	for _, file := range c.Files {
		j, err := policy.Check(file)
		if err != nil {
			return nil, err
		}
		out = append(out, report(j))
	}
	if len(c.Files) > 0 {
		return out, nil
	}
	book, err := policy.Load()
	if err != nil {
		return nil, err
	}
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		out = append(out, report(j))
	}
	return out, nil
}

func report(j policy.Jurisdiction) lawReport {
	return lawReport{File: j.File, ID: j.ID, Rights: len(j.Rights), Examples: len(j.Examples), Unread: append([]policy.Unread{}, j.Unread...)}
}

type lawListCommand struct {
	installationFlags
	JSON bool `name:"json" help:"As JSON, one line for each right."`
}

// Help implements kong.HelpProvider.
func (lawListCommand) Help() string {
	return `Of an installation, where --config or --data names one: with the laws of its folders.
Else those that are built in.

  habeas law list --config habeas.yaml`
}

// granted is one right of one law, as it is listed.
type granted struct {
	Law     string         `json:"law"`
	Right   dsar.Right     `json:"right"`
	Answer  policy.Period  `json:"answer"`
	Extends *policy.Period `json:"extension,omitempty"`
	NoProof bool           `json:"no_proof,omitempty"`
	// Besides is what the law demands besides, and Habeas doesn't do.
	Besides policy.Text `json:"besides,omitempty"`
	Source  string      `json:"source"`
}

// Run lists.
func (c *lawListCommand) Run() error {
	book, err := c.book()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, id := range book.IDs() {
		j, _ := book.Jurisdiction(id)
		for _, g := range j.Rights {
			p := j.Periods(g.Right)
			row := granted{Law: id, Right: g.Right, Answer: p.Answer, Extends: p.Extension, NoProof: g.NoProof, Besides: g.Besides, Source: g.Source}
			if c.JSON {
				if err := json.NewEncoder(os.Stdout).Encode(row); err != nil {
					return err
				}
				continue
			}
			_, _ = terminal.Printf(w, "%s\t%s\t%s\t%s\n", id, g.Right, row.clock(), g.Source)
		}
	}
	return w.Flush()
}

func (c *lawListCommand) book() (*policy.Book, error) {
	if c.Config != "" || c.Data != "" {
		return c.laws()
	}
	return policy.Load()
}

// clock writes the right's period: 45 days, 45 more; no proof.
func (g granted) clock() string {
	s := fmt.Sprintf("%d %ss", g.Answer.Count, g.Answer.Unit)
	if g.Answer.Count == 1 {
		s = strings.TrimSuffix(s, "s")
	}
	if g.Extends != nil {
		s += fmt.Sprintf(", %d more", g.Extends.Count)
	}
	if g.NoProof {
		s += "; no proof"
	}
	return s
}
