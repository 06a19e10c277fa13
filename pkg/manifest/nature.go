package manifest

// Nature is what the law asks of data: of which category it is, where it comes from, what
// it is used for and on which ground, and whether it is sensitive.
type Nature struct {
	Category   string
	Origin     Origin
	Purposes   []string // of the catalogue; none: in the manifest's own words
	Purpose    Text
	LegalBasis string
	Sensitive  bool
}

// Nature returns the dataset's own nature: that of each column that doesn't differ in it.
func (d *Dataset) Nature() Nature {
	return Nature{d.Category, d.Origin, d.Purposes, d.Purpose, d.LegalBasis, d.Sensitive}
}

// NatureOf returns a column's nature: the dataset's, but for what the column says itself. A
// biometric secret is of the biometric category, and sensitive.
func (d *Dataset) NatureOf(c *Column) Nature {
	n := d.Nature()
	if c.Secret == Biometric { // whatever the dataset is
		n.Category, n.Sensitive = CategoryBiometric, true
	}
	if c.Category != "" {
		n.Category = c.Category
	}
	if c.Origin != "" {
		n.Origin = c.Origin
	}
	if len(c.Purposes) > 0 {
		n.Purposes, n.Purpose, n.LegalBasis = c.Purposes, c.purpose, c.legalBasis
	}
	n.Sensitive = n.Sensitive || c.Sensitive
	return n
}

// Differs reports whether a column says anything of its nature that isn't its dataset's.
func (c *Column) Differs() bool {
	return c.Category != "" || c.Origin != "" || len(c.Purposes) > 0 || c.Sensitive || c.Secret == Biometric
}

// Portable reports whether the right to take data along covers it: what the person
// provided or what was observed of them, processed on consent or contract (GDPR art.
// 20(1)(a); WP 242 rev.01 for "observed").
func (n Nature) Portable() bool {
	return (n.Origin == Provided || n.Origin == Observed) && (n.LegalBasis == "consent" || n.LegalBasis == "contract")
}

// Portable reports whether the right to take data along covers the dataset: one of its
// columns at least.
func (d *Dataset) Portable() bool {
	for i := range d.Columns {
		if d.NatureOf(&d.Columns[i]).Portable() {
			return true
		}
	}
	return false
}
