package people

// name is a name in its own script, and as it stands in an address.
type name struct{ native, latin string }

// culture is a group of names that go together.
type culture struct {
	language      string
	regions       []string
	given, family []name
}

// employers are organisations whose account several people use.
var employers = []string{"Atelier du Nord Sàrl", "Kestrel & Moor Ltd", "Söderström Åkeri AB", "株式会社みなと", "Quill \"Ink\" Works", "Bela Vista S.A."}

// cultures are our own choice of common names. Families share few surnames, so
// that many people have the same one.
var cultures = []culture{
	{"fr", []string{"EEA", "EEA", "Canada"}, []name{
		{"Élodie", "elodie"}, {"Aurélien", "aurelien"}, {"Maëlle", "maelle"}, {"François", "francois"}, {"Inès", "ines"}, {"Gaël", "gael"}, {"Zoé", "zoe"}, {"Thibault", "thibault"},
	}, []name{
		{"Lefèvre", "lefevre"}, {"d'Hérouville", "d'herouville"}, {"Bérard", "berard"}, {"Nguyen", "nguyen"}, {"L'Hostis", "l'hostis"}, {"Weber", "weber"},
	}},
	{"de", []string{"EEA"}, []name{
		{"Jörg", "joerg"}, {"Käthe", "kaethe"}, {"Lukas", "lukas"}, {"Änne", "aenne"}, {"Sönke", "soenke"}, {"Ursula", "ursula"},
	}, []name{
		{"Groß", "gross"}, {"Müller", "mueller"}, {"von der Heide", "vonderheide"}, {"Weber", "weber"}, {"Schäfer-Lindt", "schaefer-lindt"},
	}},
	{"en", []string{"UK", "California", "California", "Canada", "elsewhere"}, []name{
		{"Niamh", "niamh"}, {"Desmond", "desmond"}, {"Priscilla", "priscilla"}, {"Rory", "rory"}, {"Beatrix", "beatrix"}, {"Calvin", "calvin"}, {"Xi", "xi"},
	}, []name{
		{"O'Brien", "o'brien"}, {"Ashdown", "ashdown"}, {"Whitcombe", "whitcombe"}, {"Mc Allister", "mcallister"}, {"Null", "null"}, {"Okafor", "okafor"},
	}},
	{"ja", []string{"Japan"}, []name{
		{"陽菜", "hina"}, {"蓮", "ren"}, {"美咲", "misaki"}, {"大翔", "hiroto"}, {"ゆい", "yui"},
	}, []name{
		{"高橋", "takahashi"}, {"佐々木", "sasaki"}, {"渡邊", "watanabe"}, {"小林", "kobayashi"},
	}},
	{"ko", []string{"South Korea"}, []name{
		{"서연", "seoyeon"}, {"민준", "minjun"}, {"지우", "jiwoo"}, {"하은", "haeun"},
	}, []name{
		{"김", "kim"}, {"박", "park"}, {"이", "lee"}, {"정", "jung"},
	}},
	{"el", []string{"EEA"}, []name{
		{"Ελένη", "eleni"}, {"Γιώργος", "giorgos"}, {"Αθηνά", "athina"}, {"Νίκος", "nikos"},
	}, []name{
		{"Παπαδάκης", "papadakis"}, {"Καραγιάννη", "karagianni"}, {"Οικονόμου", "oikonomou"},
	}},
	{"ar", []string{"elsewhere", "EEA"}, []name{
		{"ليلى", "layla"}, {"يوسف", "yusuf"}, {"مريم", "maryam"}, {"كريم", "karim"},
	}, []name{
		{"الحداد", "alhaddad"}, {"منصور", "mansour"}, {"بن سعيد", "bensaid"},
	}},
	{"uk", []string{"elsewhere", "EEA"}, []name{
		{"Оксана", "oksana"}, {"Тарас", "taras"}, {"Соломія", "solomiia"}, {"Богдан", "bohdan"},
	}, []name{
		{"Шевчук", "shevchuk"}, {"Коваленко", "kovalenko"}, {"Мар'яненко", "mar'ianenko"},
	}},
	{"pt", []string{"elsewhere", "EEA"}, []name{
		{"João", "joao"}, {"Conceição", "conceicao"}, {"Tomé", "tome"}, {"Íris", "iris"},
	}, []name{
		{"da Silva", "dasilva"}, {"Assunção", "assuncao"}, {"Brandão", "brandao"},
	}},
	{"hi", []string{"elsewhere"}, []name{
		{"आरती", "aarti"}, {"विक्रम", "vikram"}, {"मीरा", "meera"},
	}, []name{
		{"शर्मा", "sharma"}, {"पटेल", "patel"}, {"राव", "rao"},
	}},
}
