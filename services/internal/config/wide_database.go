package config

import (
	"cmp"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// database is a database's address as its client takes it: parameters say another host or user
// than its head does.
type database struct {
	at       string // whither, with ports
	user     string // empty where it names none
	password bool   // it has one in it
	// unchecked says why the server's certificate isn't checked on some way to it that leaves
	// this machine; empty: it is on each.
	unchecked string
}

// databaseOf reads a setting's value; nil where that is no database's address.
func databaseOf(text string) *database {
	u := address(text)
	if u == nil {
		return nil
	}
	switch u.Scheme {
	case "postgres", "postgresql":
		return postgresOf(*u)
	case "mariadb", "mysql":
		d := &database{at: u.Host, user: u.User.Username()}
		_, d.password = u.User.Password()
		if tls := u.Query().Get("tls"); !loopback(u.Hostname()) && !u.Query().Has("socket") && tls != "true" {
			d.unchecked = "tls is " + cmp.Or(tls, "not set")
		}
		return d
	}
	return nil
}

// filesOf are parameters that name files, which needn't be here: they make nothing wider.
var filesOf = []string{"sslrootcert", "sslcert", "sslkey", "passfile"}

// postgresOf reads an address as PostgreSQL's client does.
func postgresOf(u url.URL) *database {
	q := u.Query()
	d := &database{at: u.Host, user: u.User.Username(), password: q.Get("password") != "" || q.Get("sslpassword") != ""}
	if _, has := u.User.Password(); has {
		d.password = true
	}
	for _, file := range filesOf {
		q.Del(file)
	}
	u.RawQuery = q.Encode()
	c, err := pgconn.ParseConfig(u.String())
	if err != nil {
		d.unchecked = "its address can't be read as PostgreSQL's client does" // the error may quote it
		return d
	}
	if d.user != "" || q.Get("user") != "" { // else it is whoever runs the client
		d.user = c.User
	}
	hosts := []string{at(c.Host, c.Port)}
	checked := isChecked(c.Host, c.TLSConfig != nil && !c.TLSConfig.InsecureSkipVerify)
	for _, f := range c.Fallbacks {
		hosts = append(hosts, at(f.Host, f.Port))
		checked = checked && isChecked(f.Host, f.TLSConfig != nil && !f.TLSConfig.InsecureSkipVerify)
	}
	if !checked {
		d.unchecked = "sslmode is " + cmp.Or(q.Get("sslmode"), "not set")
	}
	slices.Sort(hosts)
	d.at = strings.Join(slices.Compact(hosts), ",")
	return d
}

func at(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// isChecked reports whether a way to a host leaves this machine only with the server's
// certificate checked. A path is a socket's.
func isChecked(host string, checks bool) bool {
	return checks || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || loopback(host)
}
