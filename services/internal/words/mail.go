package words

// Mail is what those who run Habeas are written.
type Mail struct {
	Subject  string               `yaml:"subject"`  // what is the matter
	Count    map[string][2]string `yaml:"count"`    // how many there are of a kind, for one and for more
	New      map[string]string    `yaml:"new"`      // above those that are new
	Colon    string               `yaml:"colon"`    // between a request and what is said of it
	Silent   string               `yaml:"silent"`   // a system, and since when
	Due      string               `yaml:"due"`      // a date
	Waits    string               `yaml:"waits"`    // systems
	Hands    string               `yaml:"hands"`    // somebody
	Unlisted string               `yaml:"unlisted"` // how many more
	All      string               `yaml:"all"`      // the console's address
}
