package words

import "habeas.dev/pkg/manifest"

// Record is the record of processing activities (GDPR art. 30(1)).
type Record struct {
	Title string `yaml:"title"`
	// Lead says what it is; %s is the law, or the article of it.
	Lead    string                     `yaml:"lead"`
	Bases   map[string]string          `yaml:"bases"`
	Origins map[manifest.Origin]string `yaml:"origins"`
	// How a dataset is erased; in GoesWith, %s is the other dataset.
	Deleted    string `yaml:"deleted"`
	Anonymised string `yaml:"anonymised"`
	Kept       string `yaml:"kept"`
	GoesWith   string `yaml:"goes_with"`
	ByHand     string `yaml:"by_hand"`
	None       string `yaml:"none"`
	// Representative stands before who that is (art. 30(1)(a)).
	Representative string `yaml:"representative"`
	// ToEndOf says from the end of what a period runs.
	ToEndOf map[string]string `yaml:"to_end_of"`
	// Columns are those of the table, in its order.
	Columns [18]string `yaml:"columns"`
}
