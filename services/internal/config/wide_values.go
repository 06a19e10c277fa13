package config

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/services/internal/topics"
)

// address returns an address's parts; nil where it is none.
func address(text string) *url.URL {
	text = strings.TrimSpace(text)
	u, err := url.Parse(text)
	if text == "" || err != nil {
		return nil
	}
	return u
}

// isPlainText tells of an address that leaves this machine in the open: by itself, or by what
// it tells a driver, as a bucket's endpoint.
func isPlainText(v view, s setting) string {
	u := address(s.text())
	switch {
	case u == nil:
		return ""
	case strings.EqualFold(u.Scheme, "http"):
		if !loopback(u.Hostname()) {
			return "is not https: " + u.Host
		}
		return ""
	case strings.EqualFold(u.Scheme, "https"):
		return "" // what it has in its query is told to its server
	case databaseOf(s.text()) != nil:
		return "" // [isUnchecked] asks those
	}
	if at := plainEndpoint(v, u); at != "" {
		return "is not https: " + at
	}
	return ""
}

// plainSwitches are parameters by which drivers of buckets and keys are told to leave TLS out, with
// the value that does.
var plainSwitches = map[string]string{"disablessl": "true", "disable_https": "true", "protocol": "http", "localemu": "true", "use_ssl": "false", "secure": "false", "tls": "false"}

// plainVariables are variables of the environment by which drivers are told where to go, by
// the schemes of theirs.
var plainVariables = map[string][]string{
	"s3":                {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"},
	"awskms":            {"AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL"},
	"awssecretsmanager": {"AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"},
	"awsparamstore":     {"AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL"},
	"gs":                {"STORAGE_EMULATOR_HOST", "STORAGE_EMULATOR_HOST_GRPC"},
	"azblob":            {"AZURE_STORAGE_PROTOCOL"},
	"hashivault":        {"VAULT_SERVER_URL", "VAULT_ADDR"},
}

// plainEndpoint returns whither a driver goes in the open by what its address tells it, or else
// its environment; empty where it doesn't, or doesn't leave this machine.
func plainEndpoint(v view, u *url.URL) string {
	q := u.Query()
	off, endpoint := "", ""
	for name, values := range q {
		for _, value := range values {
			name, value = strings.ToLower(name), strings.ToLower(strings.TrimSpace(value))
			at, err := url.Parse(value)
			switch {
			case err == nil && at.Scheme == "http" && at.Host != "":
				if !loopback(at.Hostname()) {
					return at.Host
				}
				endpoint = at.Host
			case name == "endpoint", name == "domain":
				endpoint = value
			case plainSwitches[name] != "" && isSame(value, plainSwitches[name]):
				off = name + "=" + value
			}
		}
	}
	if host, _, err := net.SplitHostPort(endpoint); off != "" && !loopback(endpoint) && (err != nil || !loopback(host)) {
		return cmp.Or(endpoint, u.Host) + " (" + off + ")"
	}
	for _, name := range plainVariables[strings.ToLower(u.Scheme)] {
		value := v.environment(name)
		at, err := url.Parse(value)
		switch {
		case endpoint != "" || value == "":
		case err == nil && at.Scheme == "http" && at.Host != "" && !loopback(at.Hostname()), strings.EqualFold(value, "http"):
			return cmp.Or(at.Host, u.Host) + " (" + name + ")"
		case err != nil || at.Host == "": // a host alone, which an emulator's is
			if host, _, err := net.SplitHostPort(value); err == nil && !loopback(host) {
				return value + " (" + name + ")"
			}
		}
	}
	return ""
}

// isTrue reports whether a parameter is on, as strconv.ParseBool has it.
func isTrue(value string) bool {
	on, err := strconv.ParseBool(value)
	return err == nil && on
}

// isSame reports whether two values of a parameter mean the same.
func isSame(a, b string) bool {
	on, err := strconv.ParseBool(a)
	other, not := strconv.ParseBool(b)
	return a == b || err == nil && not == nil && on == other
}

// isAnybodys tells of a bucket that is opened as nobody: whoever can reach it does the same.
func isAnybodys(_ view, s setting) string {
	if u := address(s.text()); u != nil {
		for name, values := range u.Query() {
			if strings.EqualFold(name, "anonymous") && slices.ContainsFunc(values, isTrue) {
				return "is opened as nobody (anonymous): whoever reaches it does the same"
			}
		}
	}
	return ""
}

// superusers are the names under which database servers and those who run them for others have
// the user who may do everything.
var superusers = []string{"postgres", "root", "mysql", "admin", "rdsadmin", "rds_superuser", "cloudsqlsuperuser", "azure_superuser", "azuresu", "doadmin", "avnadmin", "supabase_admin", "sa"}

// isSuperuser tells of a database's user who may do everything, by its name. What it may
// really do only the database knows: habeas lint asks that.
func isSuperuser(_ view, s setting) string {
	d := databaseOf(s.text())
	if d == nil {
		return ""
	}
	name, _, _ := strings.Cut(d.user, "@") // Azure's has its server behind it
	if !slices.Contains(superusers, strings.ToLower(name)) {
		return ""
	}
	return "signs in as " + d.user + ", who by that name may do everything on the server"
}

func hasPassword(_ view, s setting) string {
	if d := databaseOf(s.text()); d != nil && d.password {
		return "has a password in it"
	}
	if u := address(s.text()); u != nil {
		if _, has := u.User.Password(); has {
			return "has a password in it"
		}
	}
	return ""
}

func hasKey(_ view, s setting) string {
	if u := address(s.text()); u != nil && strings.EqualFold(u.Scheme, "base64key") {
		return "has the key in it"
	}
	return ""
}

func isUnchecked(_ view, s setting) string {
	d := databaseOf(s.text())
	if d == nil || d.unchecked == "" {
		return ""
	}
	return "doesn't check the server's certificate: " + d.unchecked
}

// whom returns whom a database is signed in to as, and where; empty where it is none.
func (d *database) whom() string {
	if d == nil {
		return ""
	}
	return d.at + " " + d.user
}

// isSameUser tells of the first of several settings that sign in as one user.
func isSameUser(c view, s setting) string {
	own := databaseOf(s.text())
	if own == nil || s.Where == "limits" && c.Limits == c.Journal { // [isJournalOfVendors] asks that
		return ""
	}
	var same []string
	for _, other := range c.all {
		if other.Where == "limits" && c.Limits == c.Journal || databaseOf(other.text()).whom() != own.whom() || other.Where == s.Where {
			continue
		}
		same = append(same, other.Where)
	}
	if len(same) == 0 || slices.Min(same) < s.Where {
		return ""
	}
	slices.Sort(same)
	return "signs in as the same user as " + strings.Join(same, ", ") + ": " + own.user
}

// journalRoles are the roles of the components that have the journal, which
// deploy/postgres/roles.sql makes.
var journalRoles = []string{"habeas_intake", "habeas_coordinator", "habeas_letters", "habeas_console", "habeas_portal"}

func isNoRole(_ view, s setting) string {
	d := databaseOf(s.text())
	if d == nil || slices.Contains(journalRoles, d.user) {
		return ""
	}
	return "signs in as " + cmp.Or(d.user, "nobody in particular") + ", which is no component's role: whatever has it may do everything in the journal"
}

// isIntake reports whether the process that a configuration is of is an intake by itself.
func (v view) isIntake() bool {
	d := databaseOf(v.Journal)
	return v.Kafka.SASL.User == topics.UserIntake || d != nil && d.user == "habeas_intake"
}

// isWithIntake tells of a master key that an intake can read.
func isWithIntake(c view, s setting) string {
	if !c.isIntake() {
		return ""
	}
	if _, err := os.Stat(secretFile(s)); err != nil && hasKey(c, s) == "" {
		return ""
	}
	return "can be read where intake is: whoever takes intake over opens everything that isn't forgotten"
}

// isMissingOfIntake tells of intakes that run by the master key.
func isMissingOfIntake(c view, s setting) string {
	if s.text() != "" || len(c.Kafka.Brokers) == 0 {
		return ""
	}
	return "isn't set: an intake by itself has the master key, and whoever takes it over opens everything that isn't forgotten"
}

func isJournalOfVendors(c view, _ setting) string {
	if c.Limits == c.Journal && slices.ContainsFunc(slices.Collect(maps.Values(c.Systems)), func(s System) bool { return s.URL != "" }) {
		return "is the journal's database: workers of vendors reach the journal"
	}
	return ""
}

const (
	// minPrivate, minPublic and min6 are the shortest prefixes of proxies' networks: a private
	// IPv4 network of 65,536 addresses holds a cluster, a public one of 256 is one company's,
	// and of IPv6 a site has 48 bits. Whoever is within a wider one is believed to forward for
	// whomever they name.
	minPrivate = 16
	minPublic  = 24
	min6       = 48
)

func isWideNetwork(_ view, s setting) string {
	p, err := netip.ParsePrefix(s.text())
	if err != nil {
		return ""
	}
	least := min6
	switch a := p.Addr(); {
	case a.Is4() && a.IsPrivate(), a.Is4() && a.IsLoopback():
		least = minPrivate
	case a.Is4():
		least = minPublic
	}
	if p.Bits() >= least || p.Addr().IsLoopback() && p.Bits() >= 8 {
		return ""
	}
	return fmt.Sprintf("is %s, with others in it than your proxies: whoever has one of its addresses is believed where others come from", p)
}

// above tells of a number that is above a bound.
func above(most int64, of string) func(view, setting) string {
	return func(_ view, s setting) string {
		if n := reflect.ValueOf(s.Value).Int(); n > most {
			return fmt.Sprintf("is %d %s: as good as no limit", n, of)
		}
		return ""
	}
}

func isUnlimited(_ view, s setting) string {
	if reflect.ValueOf(s.Value).Float() < 0 {
		return "is below 0: whatever goes wrong here calls the vendor without limit"
	}
	return ""
}

// isThere tells of a switch that is on, or a part that is there.
func isThere(what string) func(view, setting) string {
	return func(_ view, s setting) string {
		v := reflect.ValueOf(s.Value)
		if v.Kind() == reflect.Bool && v.Bool() {
			return what
		}
		if v.Kind() == reflect.Struct {
			return "is there: " + what
		}
		return ""
	}
}

func isEmpty(what string) func(view, setting) string {
	return func(_ view, s setting) string {
		if s.text() != "" {
			return ""
		}
		return "is empty: " + what
	}
}

func saysNever(_ view, s setting) string {
	if s.text() != "never" {
		return ""
	}
	return "is never: whoever can send a request is believed that its identifiers are the person's"
}

func isEverybodys(_ view, s setting) string {
	if s.text() != defaultName {
		return ""
	}
	return "is everybody's: who verifies can't tell whose receipt it is"
}

func isPlainMail(c view, _ setting) string {
	host, _, err := net.SplitHostPort(c.Letters.SMTP)
	if !c.Letters.Plain || err == nil && loopback(host) {
		return ""
	}
	return "sends letters in the open"
}

// listener returns where a listener's TLS belongs to.
func (c Config) listener(tls string) (listen string, of ServerTLS) {
	switch tls {
	case "monitor.tls":
		return c.Monitor.Listen, c.Monitor.TLS
	case "console.tls":
		return c.Console.Listen, c.Console.TLS
	case "portal.tls":
		return c.Portal.Listen, c.Portal.TLS
	default:
		return c.Listen, c.TLS
	}
}

// open reports whether others than this machine reach a listener.
func open(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return listen != "" && (err != nil || !loopback(host))
}

func isListenerWithoutTLS(c view, s setting) string {
	if listen, tls := c.listener(s.Setting); open(listen) && !tls.Enabled() {
		return "is missing: " + listen + " speaks plain text"
	}
	return ""
}

func isOpenMonitor(c view, _ setting) string {
	if open(c.Monitor.Listen) && c.Monitor.TLS.Enabled() && c.Monitor.TLS.ClientCAFile == "" {
		return "is missing: whoever reaches " + c.Monitor.Listen + " reads the metrics"
	}
	return ""
}

func isNobodysDoor(c view, _ setting) string {
	if c.Listen == "" || len(c.Callers) > 0 {
		return ""
	}
	return "names nobody: whoever is on this machine has anybody's data gathered or erased"
}

func isNobodysTopic(c view, _ setting) string {
	if len(c.Producers) > 0 {
		return ""
	}
	return "names nobody: whoever may write to dsar.requests is believed"
}

// asksAll tells of a caller or producer that may ask for everything, and is believed.
func asksAll(c view, s setting) string {
	of, name, _ := strings.Cut(strings.TrimSuffix(s.Where, ".rights"), ".")
	if reflect.ValueOf(s.Value).Len() > 0 || of == "callers" && !c.Callers[name].Believed || of == "producers" && !c.Producers[name].Believed {
		return ""
	}
	return "names none: it may ask for every right, and is believed"
}

// portalsName is the caller's that the portal is, where it runs apart.
const portalsName = "portal"

func provesOutside(_ view, s setting) string {
	if proves, _ := s.Value.(bool); !proves || s.Where == "callers."+portalsName+".proves" {
		return ""
	}
	return "is set: what another than Habeas' own portal calls verified counts as proven by the person"
}

func isConsolesWithout(c view, s setting) string {
	if c.Console.Listen == "" || c.Console.Local || s.text() != "" {
		return ""
	}
	return "is missing: the key of sessions lies in the data folder"
}

func isPortalsWithout(c view, s setting) string {
	if c.Portal.Listen == "" || c.Portal.Local || s.text() != "" {
		return ""
	}
	return "is missing: the key of codes and sessions lies in the data folder"
}

// isAnothersRole tells of a role that a value of the claim gives which gives a higher one, too.
func isAnothersRole(c view, s setting) string {
	role := strings.TrimPrefix(s.Where, "console.oidc.roles.")
	for _, other := range slices.Sorted(maps.Keys(c.Console.OIDC.Roles)) {
		for _, value := range c.Console.OIDC.Roles[other] {
			if other > role && slices.Contains(c.Console.OIDC.Roles[role], value) {
				return "is given by " + value + ", which gives " + other + ", too"
			}
		}
	}
	return ""
}

func isEmbedded(c view, _ setting) string {
	if len(c.Kafka.Brokers) > 0 {
		return ""
	}
	return "names none: with the embedded broker one process has the rights of every component"
}

func isPlainKafka(c view, _ setting) string {
	if t := c.Kafka.TLS; len(c.Kafka.Brokers) == 0 || t.Enabled || t.CAFile != "" || t.CertFile != "" {
		return ""
	}
	return "is missing: messages and passwords go in the open"
}

func isNobodyInKafka(c view, _ setting) string {
	if sasl := c.Kafka.SASL; len(c.Kafka.Brokers) == 0 || sasl.Mechanism != "" || sasl.User != "" || c.Kafka.TLS.CertFile != "" {
		return ""
	}
	return "is missing: the brokers can't tell services apart"
}

func isNoComponent(c view, s setting) string {
	if len(c.Kafka.Brokers) == 0 || s.text() == "" || slices.ContainsFunc(topics.Accesses(slices.Collect(maps.Keys(c.Systems))), func(a topics.Access) bool { return a.User == s.text() }) {
		return ""
	}
	return "is " + s.text() + ", which is no component's: whatever signs in by it has the rights of all"
}
