package manifest

import (
	"net/url"
	"strconv"
)

// HTTP says how a system's service is called, in any language it is written in: the contract
// is schemas/worker.openapi.yaml.
type HTTP struct {
	// URL is the service's base address, unless the configuration names another.
	URL string `yaml:"url,omitempty"`
	// Batch is how many tasks one call may hold; 0 means one.
	Batch int64 `yaml:"batch,omitempty"`
}

// maxBatch is how many tasks one call may hold at most: a service reads them all before it
// begins.
const maxBatch = 500

// http checks what a manifest says of a service.
func (v *validation) http() {
	h := v.m.HTTP
	if h == nil {
		return
	}
	if v.m.SQL != nil {
		v.add("http", "http beside sql", "a system is served by its database or by a service: leave one out")
	}
	if v.m.Holds {
		v.add("holds", "holds beside http", "leave it out: a service isn't told which records a hold keeps of others, and a hold on one dataset keeps all of the system")
	}
	if u, err := url.Parse(h.URL); h.URL != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "") {
		v.add("http.url", "http.url isn't an address", "write such as https://orders.example.com/habeas")
	}
	if h.Batch < 0 || h.Batch > maxBatch {
		v.add("http.batch", "http.batch is out of bounds", "write how many tasks one call may hold: 1 to "+strconv.FormatInt(maxBatch, 10))
	}
}
