package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/terminal"
)

type completionCommand struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

// Help implements kong.HelpProvider.
func (completionCommand) Help() string {
	return `Commands, flags, their values, and the requests of the installation that HABEAS_DATA or
HABEAS_CONFIG names, by the beginning of their ids.

  bash: echo 'source <(habeas completion bash)' >> ~/.bashrc
  zsh:  echo 'source <(habeas completion zsh)' >> ~/.zshrc
  fish: habeas completion fish > ~/.config/fish/completions/habeas.fish`
}

// scripts hand the words of a line to habeas complete, the last of which is what
// is being typed.
var scripts = map[string]string{
	"bash": `_habeas() {
  local IFS=$'\n'
  COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _habeas habeas
`,
	"zsh": `#compdef habeas
_habeas() {
  local -a next
  next=("${(@f)$("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -- $next
  [[ -n $next ]] || _files
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
compdef _habeas habeas
`,
	"fish": `complete -c habeas -a '(habeas complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`,
}

func (c *completionCommand) Run() error {
	_, err := terminal.Printf(os.Stdout, "%s", terminal.Written(scripts[c.Shell]))
	return err
}

type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"The words so far."`
}

func (c *completeCommand) Run(ctx context.Context) error {
	parser, err := newParser()
	if err != nil {
		return err
	}
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		words = []string{""}
	}
	for _, next := range completions(parser.Model, words, func() []string { return recentRequests(ctx) }) {
		if _, err := terminal.Printf(os.Stdout, "%s\n", next); err != nil {
			return err
		}
	}
	return nil
}

// completions returns what the last word may become: a command, a flag, a flag's value, or a
// request where one is named.
func completions(model *kong.Application, words []string, requests func() []string) []string {
	node, positional := model.Node, 0
	var flag *kong.Flag // whose value comes next
	for _, w := range words[:len(words)-1] {
		switch sub := child(node, w); {
		case flag != nil:
			flag = nil
		case strings.HasPrefix(w, "-"):
			if flag = flagOf(node, w); flag != nil && (flag.IsBool() || strings.Contains(w, "=")) {
				flag = nil
			}
		case sub != nil:
			node = sub
		case len(node.Children) > 0: // no command
			return nil
		default:
			positional++
		}
	}
	var all []string
	switch last := words[len(words)-1]; {
	case flag != nil:
		all = values(flag.Value)
	case strings.HasPrefix(last, "-"):
		for _, f := range flagsOf(node) {
			if !f.Hidden {
				all = append(all, "--"+f.Name)
			}
		}
	default:
		for _, n := range node.Children {
			if !n.Hidden {
				all = append(all, n.Name)
			}
		}
		if positional < len(node.Positional) {
			p := node.Positional[positional]
			if all = append(all, values(p)...); p.Name == "id" {
				all = append(all, requests()...)
			}
		}
	}
	last := words[len(words)-1]
	all = slices.DeleteFunc(all, func(s string) bool { return !strings.HasPrefix(s, last) })
	slices.Sort(all)
	return all
}

func child(n *kong.Node, name string) *kong.Node {
	i := slices.IndexFunc(n.Children, func(c *kong.Node) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return n.Children[i]
}

// flagsOf returns the flags of a command and of those above it.
func flagsOf(n *kong.Node) (all []*kong.Flag) {
	for ; n != nil; n = n.Parent {
		all = append(all, n.Flags...)
	}
	return all
}

func flagOf(n *kong.Node, word string) *kong.Flag {
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	flags := flagsOf(n)
	i := slices.IndexFunc(flags, func(f *kong.Flag) bool { return f.Name == name || f.Short != 0 && string(f.Short) == name })
	if i < 0 {
		return nil
	}
	return flags[i]
}

// values returns the words that a value may be; nil where it is anything.
func values(v *kong.Value) []string {
	if v.Enum == "" {
		return nil
	}
	return strings.Split(v.Enum, ",")
}

const (
	// completionTime bounds the look into the journal: whoever presses a key doesn't wait.
	completionTime = time.Second
	// completedRequests is how many requests are offered.
	completedRequests = 50
)

// recentRequests returns the beginnings of the ids of the newest requests, where the
// environment says of which installation.
func recentRequests(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, completionTime)
	defer cancel()
	in, err := installationFlags{Data: os.Getenv("HABEAS_DATA"), Config: os.Getenv("HABEAS_CONFIG")}.open(ctx)
	if err != nil {
		return nil
	}
	defer in.Close()
	rows, err := in.Journal.List(ctx, journal.Filter{Limit: completedRequests})
	if err != nil {
		return nil
	}
	return shortIDs(rows)
}
