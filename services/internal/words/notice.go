package words

import "habeas.dev/pkg/dsar"

// Notice is what a recipient of data is told when it was erased, corrected or restricted.
type Notice struct {
	// Subject and Lead are by what was done.
	Subject map[dsar.Action]string `yaml:"subject"`
	Lead    map[dsar.Action]string `yaml:"lead"`
	Lifted  string                 `yaml:"lifted"` // instead of Lead, where a restriction is undone
	// Reminder stands before the lead from the second notice on.
	Reminder string `yaml:"reminder"`
	By       string `yaml:"by"` // %s: who sends it
	Data     string `yaml:"data"`
	Sealed   string `yaml:"sealed"` // above what is sealed to the recipient's key
	Answer   string `yaml:"answer"` // %s: the address at which it is acknowledged
	Number   string `yaml:"number"` // %s: the notice's number
	// The page at which it is acknowledged.
	Title        string `yaml:"title"`
	Ask          string `yaml:"ask"`
	Button       string `yaml:"button"`
	Acknowledged string `yaml:"acknowledged"`
	Unknown      string `yaml:"unknown"`
}
