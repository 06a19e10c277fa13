package console

import (
	"net/http"

	"habeas.dev/pkg/manifest"
)

// systemStatus is what is known of one system.
type systemStatus struct {
	*manifest.Manifest
	Label   string
	Waiting int // open requests that wait for it
}

// systems shows the systems, and how many requests wait for each.
func (c *Console) systems(w http.ResponseWriter, r *http.Request, u User) {
	waits := c.waits.get(r.Context())
	var list []systemStatus
	for _, m := range c.Manifests {
		list = append(list, systemStatus{m, m.Title.In(languageOf(r)), waits[m.System]})
	}
	c.render(w, r, http.StatusOK, "systems.html", page{User: u, Title: "Systems", Here: "systems", Body: list})
}
