package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"

	"habeas.dev/pkg/dsar"
)

// Portal is the site at which people ask and receive; without an address there is none.
type Portal struct {
	Listen string    `yaml:"listen"` // HOST:PORT
	TLS    ServerTLS `yaml:"tls"`
	// Local has it on this machine alone: mail is left in DATA/mail where no server is
	// configured, and its own address is where it listens. For the demo.
	Local bool `yaml:"local"`
	// URL is its own address as browsers reach it, as https://privacy.example.com.
	URL string `yaml:"url"`
	// SecretFile has what codes and cookies are keyed by, the same in all portals behind one
	// address, and nobody else's; default: made in the data folder.
	SecretFile string `yaml:"secret_file"`
	// Accent is the company's colour, #rrggbb; Logo its picture, SVG or PNG; Notice the
	// address of its privacy notice. Its name is controller.
	Accent string `yaml:"accent"`
	Logo   string `yaml:"logo"`
	Notice string `yaml:"notice"`
	// Identifiers are those that people are asked for beside their address; default
	// account_id and phone.
	Identifiers []dsar.IdentifierType `yaml:"identifiers,omitempty"`
	// Uploads is a folder or a bucket's URL for what people send; default DATA/uploads.
	Uploads string `yaml:"uploads"`
	// UploadsKey is the file of the age identity that opens what people send, for the
	// console; made where it is missing below Data. UploadsRecipient is its public part, for
	// a portal that runs without it.
	UploadsKey       string `yaml:"uploads_key"`
	UploadsRecipient string `yaml:"uploads_recipient"`
	// Door is the address of intake's HTTP door, and TokenFile the token of the caller
	// portal, where the portal runs without intake.
	Door      string `yaml:"door"`
	TokenFile string `yaml:"token_file"`
}

// colour is how a colour is written.
var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// check tells what is wrong before anything is opened.
func (p Portal) check(letters Letters) error {
	if p.Listen == "" {
		return nil
	}
	own, err := url.Parse(p.URL)
	host, _, split := net.SplitHostPort(p.Listen)
	switch {
	case p.Local && (split != nil || !loopback(host)):
		return fmt.Errorf("portal: local and listen %q: it listens on loopback only then, as 127.0.0.1:8422", p.Listen)
	case !p.Local && (err != nil || own.Scheme != "https" || own.Host == "" || own.Path != "" && own.Path != "/"):
		return errors.New("portal: url is its https address as browsers reach it, as https://privacy.example.com")
	case !p.Local && letters.SMTP == "":
		return errors.New("portal: codes go by mail; name a server under letters: smtp")
	case p.Accent != "" && !colour.MatchString(p.Accent):
		return fmt.Errorf("portal: accent %q is no colour, as #1d4f91", p.Accent)
	case (p.Door == "") != (p.TokenFile == ""):
		return errors.New("portal: door and token_file go together")
	}
	return nil
}
