package config

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"habeas.dev/services/internal/topics"
)

// Wide is something that a configuration leaves wider than it must be.
type Wide struct {
	Where string `json:"where"` // the field
	What  string `json:"what"`
	Cure  string `json:"cure"`
}

// Strict returns what is wider than it must be, by field: what a stranger, or one
// component with all that it has, could do that it needn't. It reads the secrets' files,
// to tell where several are the same, and connects to nothing.
func (c Config) Strict() []Wide {
	var all []Wide
	all = append(all, c.wideListeners()...)
	all = append(all, c.wideKafka()...)
	all = append(all, c.wideBelief()...)
	all = append(all, c.wideAddresses()...)
	all = append(all, c.wideSecrets()...)
	all = append(all, c.wideFolders()...)
	all = append(all, c.wideReceipts()...)
	slices.SortFunc(all, func(a, b Wide) int { return strings.Compare(a.Where+"\x00"+a.What, b.Where+"\x00"+b.What) })
	return all
}

func (c Config) wideListeners() (all []Wide) {
	for _, l := range []struct {
		where, listen string
		tls           ServerTLS
	}{{"", c.Listen, c.TLS}, {"monitor.", c.Monitor.Listen, c.Monitor.TLS}, {"console.", c.Console.Listen, c.Console.TLS}, {"portal.", c.Portal.Listen, c.Portal.TLS}} {
		host, _, err := net.SplitHostPort(l.listen)
		if l.listen == "" || err == nil && loopback(host) {
			continue
		}
		switch {
		case !l.tls.Enabled():
			all = append(all, Wide{l.where + "tls", "is missing: " + l.listen + " speaks plain text", "name cert_file and key_file"})
		case l.where == "monitor." && l.tls.ClientCAFile == "":
			all = append(all, Wide{"monitor.tls.client_ca_file", "is missing: whoever reaches " + l.listen + " reads the metrics", "name who issues your Prometheus' certificate, or listen on loopback"})
		}
	}
	if c.Listen != "" && len(c.Callers) == 0 {
		all = append(all, Wide{"callers", "names nobody: whoever is on this machine has anybody's data gathered or erased", "name who may call"})
	}
	if c.Portal.Listen != "" && !c.Portal.Local && c.Portal.SecretFile == "" {
		all = append(all, Wide{"portal.secret_file", "is missing: the key of codes and sessions lies in the data folder", "openssl rand -base64 48 into a secret of the portal's own"})
	}
	if c.Console.Local {
		all = append(all, Wide{"console.local", "lets in whoever is on this machine, with every role", "sign people in: console.oidc"})
	}
	if c.Console.Listen != "" && !c.Console.Local && c.Console.CookieKeyFile == "" {
		all = append(all, Wide{"console.cookie_key_file", "is missing: the key of sessions lies in the data folder", "openssl rand -base64 48 into a secret of the console's own"})
	}
	return all
}

func (c Config) wideKafka() (all []Wide) {
	if len(c.Kafka.Brokers) == 0 {
		return []Wide{{"kafka.brokers", "names none: with the embedded broker one process has the rights of every component", "use a cluster, with a user for each service (habeas topics access)"}}
	}
	t := c.Kafka.TLS
	if !t.Enabled && t.CAFile == "" && t.CertFile == "" {
		all = append(all, Wide{"kafka.tls", "is missing: messages and passwords go in the open", "tls: {enabled: true}, or ca_file"})
	}
	sasl := c.Kafka.SASL
	switch {
	case sasl.Mechanism == "" && sasl.User == "":
		if t.CertFile == "" {
			all = append(all, Wide{"kafka.sasl", "is missing: the brokers can't tell services apart", "a user for each service, with the rights of habeas topics access"})
		}
	case sasl.User != "" && !slices.ContainsFunc(topics.Accesses(slices.Collect(maps.Keys(c.Systems))), func(a topics.Access) bool { return a.User == sasl.User }):
		all = append(all, Wide{"kafka.sasl.user", "is " + sasl.User + ", which is no component's: whatever signs in by it has the rights of all", "a user for each service (habeas topics access), by HABEAS_KAFKA_USER where they share this file"})
	}
	return all
}

// wideFolders finds keys that lie where every worker reaches: a worker has the folders of
// objects and of links.
func (c Config) wideFolders() (all []Wide) {
	if !strings.Contains(c.Vault.Bucket, "://") && !c.Vault.Apart {
		all = append(all, Wide{"vault.apart", "isn't set: all systems' objects of a request lie in one file, which each worker can cut or delete", "true, and each worker its own folder (objects/SYSTEM); or a bucket"})
	}
	ways := map[string]string{"vault.bucket": c.Vault.Bucket, "links": c.Links}
	keys := map[string]string{"vault.keys": c.Vault.Keys, "receipts.log_key": c.Receipts.LogKey, "receipts.bundle_key": c.Receipts.BundleKey}
	for i, key := range append([]string{c.Vault.Key}, c.Vault.OldKeys...) {
		where := "vault.key"
		if i > 0 {
			where = fmt.Sprintf("vault.old_keys[%d]", i-1)
		}
		if u, err := url.Parse(key); err == nil && u.Scheme == "file" {
			keys[where] = u.Path
		}
	}
	for where, key := range keys {
		for way, folder := range ways {
			switch {
			case !filepath.IsAbs(folder) || !filepath.IsAbs(key):
			case liesIn(folder, key):
				all = append(all, Wide{where, "lies in " + way + ", which workers have: each of them reads it", "a place of its own"})
			case where == "vault.key" && way == "vault.bucket" && liesIn(c.Data, key) && liesIn(c.Data, folder):
				all = append(all, Wide{where, "lies in the data folder, as the vault does: a worker that is given that folder reads the master key", "a secret of the services that open, or a key service"})
			}
		}
	}
	return all
}

// liesIn reports whether a path is in a folder, or the folder itself.
func liesIn(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

func (c Config) wideReceipts() (all []Wide) {
	if c.Receipts.Mirror == c.Room(RoomMirror) {
		all = append(all, Wide{"receipts.mirror", "lies in the data folder: what is restored with it can't tell that it was", "a bucket that is in no backup of the journal or the vault"})
	}
	if c.Receipts.Name == defaultName {
		all = append(all, Wide{"receipts.name", "is everybody's: who verifies can't tell whose receipt it is", "a name of yours, before the first request"})
	}
	return all
}

func (c Config) wideBelief() (all []Wide) {
	if c.Proof == "never" {
		all = append(all, Wide{"proof", "is never: whoever can send a request is believed that its identifiers are the person's", "unverified, or without"})
	}
	if len(c.Producers) == 0 {
		all = append(all, Wide{"producers", "names nobody: whoever may write to dsar.requests is believed", "name who signs requests by Kafka"})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Callers)) {
		if caller := c.Callers[name]; caller.Believed && len(caller.Rights) == 0 {
			all = append(all, Wide{"callers." + name + ".rights", "names none: it may ask for every right, and is believed", "name those that it needs"})
		}
	}
	if c.Sandbox != nil {
		all = append(all, Wide{"sandbox", "is there: people are invented, and vendors are stand-ins", "leave it out in production"})
	}
	if c.Letters.Plain {
		all = append(all, Wide{"letters.plain", "sends letters in the open", "a server with TLS"})
	}
	return all
}

// addresses returns every address that the configuration has, by its field.
func (c Config) addresses() map[string]string {
	all := map[string]string{"journal": c.Journal, "limits": c.Limits, "vault.bucket": c.Vault.Bucket, "vault.key": c.Vault.Key, "outbox": c.Outbox, "telemetry.otlp": c.Telemetry.OTLP, "console.oidc.issuer": c.Console.OIDC.Issuer}
	for name, s := range c.Systems {
		all["systems."+name+".dsn"], all["systems."+name+".url"] = s.DSN, s.URL
	}
	for i, h := range c.Notify.Webhooks {
		all[fmt.Sprintf("notify.webhooks[%d].url", i)] = h.URL
	}
	for i, key := range c.Vault.OldKeys {
		all[fmt.Sprintf("vault.old_keys[%d]", i)] = key
	}
	return all
}

func (c Config) wideAddresses() (all []Wide) {
	users := map[string][]string{}
	for where, address := range c.addresses() {
		u, err := url.Parse(address)
		if address == "" || err != nil {
			continue
		}
		if _, has := u.User.Password(); has {
			all = append(all, Wide{where, "has a password in it", "name a file: passfile=/run/secrets/…, of PostgreSQL and MariaDB"})
		}
		local := loopback(u.Hostname())
		switch u.Scheme {
		case "base64key":
			all = append(all, Wide{where, "has the key in it", "a file of its own, or a key service"})
		case "http":
			if !local {
				all = append(all, Wide{where, "is not https: " + u.Host, "https"})
			}
		case "postgres", "postgresql":
			if user := u.User.Username(); where == "journal" && !slices.Contains(journalRoles, user) {
				all = append(all, Wide{where, "signs in as " + quoteOr(user, "nobody in particular") + ", which is no component's role: whatever has it may do everything in the journal", "a role for each service (deploy/postgres/roles.sql), by HABEAS_JOURNAL where they share this file"})
			}
			if mode := u.Query().Get("sslmode"); !local && mode != "verify-full" {
				all = append(all, Wide{where, "doesn't check the server's certificate: sslmode is " + quoteOr(mode, "not set"), "sslmode=verify-full"})
			}
			if where != "limits" || c.Limits != c.Journal {
				users[u.Host+" "+u.User.Username()] = append(users[u.Host+" "+u.User.Username()], where)
			}
		case "mariadb", "mysql":
			if tls := u.Query().Get("tls"); !local && !u.Query().Has("socket") && tls != "true" {
				all = append(all, Wide{where, "doesn't check the server's certificate: tls is " + quoteOr(tls, "not set"), "tls=true"})
			}
			users[u.Host+" "+u.User.Username()] = append(users[u.Host+" "+u.User.Username()], where)
		}
	}
	if c.Limits == c.Journal && slices.ContainsFunc(slices.Collect(maps.Values(c.Systems)), func(s System) bool { return s.URL != "" }) {
		all = append(all, Wide{"limits", "is the journal's database: workers of vendors reach the journal", "a database of its own"})
	}
	for who, where := range users {
		if slices.Sort(where); len(where) > 1 {
			all = append(all, Wide{where[0], "signs in as the same user as " + strings.Join(where[1:], ", ") + ": " + strings.Split(who, " ")[1], "a database user for each, with its own rights"})
		}
	}
	return all
}

// journalRoles are the roles of the components that have the journal, which
// deploy/postgres/roles.sql makes.
var journalRoles = []string{"habeas_intake", "habeas_coordinator", "habeas_letters", "habeas_console", "habeas_portal"}

func quoteOr(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// secretFiles returns every file that holds a secret, by its field.
func (c Config) secretFiles() map[string]string {
	all := map[string]string{"kafka.sasl.password_file": c.Kafka.SASL.PasswordFile, "kafka.tls.key_file": c.Kafka.TLS.KeyFile, "letters.password_file": c.Letters.PasswordFile,
		"tls.key_file": c.TLS.KeyFile, "monitor.tls.key_file": c.Monitor.TLS.KeyFile, "console.tls.key_file": c.Console.TLS.KeyFile,
		"console.oidc.client_secret_file": c.Console.OIDC.ClientSecretFile, "console.cookie_key_file": c.Console.CookieKeyFile, "receipts.bundle_key": c.Receipts.BundleKey, "receipts.log_key": c.Receipts.LogKey}
	if c.Portal.Listen != "" {
		all["portal.secret_file"], all["portal.token_file"], all["portal.uploads_key"], all["portal.tls.key_file"] = c.Portal.SecretFile, c.Portal.TokenFile, c.Portal.UploadsKey, c.Portal.TLS.KeyFile
	}
	for name, s := range c.Systems {
		all["systems."+name+".client_secret_file"] = s.ClientSecretFile
		all["systems."+name+".options.key_file"] = s.Options["key_file"]
	}
	for i, h := range c.Notify.Webhooks {
		all[fmt.Sprintf("notify.webhooks[%d].secret_file", i)] = h.SecretFile
	}
	for where, address := range c.addresses() {
		u, err := url.Parse(address)
		if err != nil {
			continue
		}
		if file := u.Query().Get("passfile"); file != "" {
			all[where+" (passfile)"] = file
		}
		if strings.HasPrefix(where, "vault.") && u.Scheme == "file" {
			all[where] = u.Path
		}
	}
	maps.DeleteFunc(all, func(_, path string) bool { return path == "" })
	return all
}

// maxSecret bounds what is read of a secret's file, in bytes.
const maxSecret = 64 << 10

func (c Config) wideSecrets() (all []Wide) {
	same := map[string][]string{}
	files := c.secretFiles()
	for _, where := range slices.Sorted(maps.Keys(files)) {
		path := files[where]
		info, err := os.Stat(path)
		if err != nil { // what is missing is config check's
			same[path] = append(same[path], where)
			continue
		}
		if info.Mode()&(fs.ModePerm&0o004) != 0 && info.Mode().IsRegular() {
			all = append(all, Wide{where, "can be read by everybody on the machine: " + path, "chmod o-r, or a secret that is mounted so"})
		}
		key := path
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 && len(text) <= maxSecret {
			sum := sha256.Sum256(text)
			key = string(sum[:])
		}
		same[key] = append(same[key], where)
	}
	for _, where := range same {
		if len(where) > 1 && !oneComponent(where) {
			all = append(all, Wide{where[0], "is the secret of " + strings.Join(where[1:], ", ") + ", too", "a secret for each: who has one has the others"})
		}
	}
	return all
}

// oneComponent reports whether all fields are those of one component: journal and limits
// are reached by the same processes.
func oneComponent(where []string) bool {
	return !slices.ContainsFunc(where, func(w string) bool { return !strings.HasPrefix(w, "journal") && !strings.HasPrefix(w, "limits") })
}
