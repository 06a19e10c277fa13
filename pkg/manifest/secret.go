package manifest

import (
	"slices"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Secret says what a column holds that no answer discloses, under any law: one of
// [SecretKinds]; [NoSecret], where its name looks like one and it is none; empty, where
// nothing was said. An answer says with particularity that such data is held (11 CCR
// 7024(d)), and shows of it no more than the last four digits of a payment card (PCI DSS
// 4.0.1, 3.4.1 would allow more).
type Secret string

// What a manifest can write as true and false.
const (
	// OtherSecret is a secret of no other kind: an API key, a signing key.
	OtherSecret Secret = "true"
	NoSecret    Secret = "false"
)

// Kinds of which more follows: of a payment card the last four digits are shown, and what is
// biometric is of that category, and sensitive.
const (
	PaymentCard Secret = "payment-card"
	Biometric   Secret = "biometric"
)

// CategoryBiometric is the category of what recognises a person's body.
const CategoryBiometric = "biometric"

// SecretKinds lists the kinds of secrets.
func SecretKinds() []Secret {
	return []Secret{"government-id", "financial-account", PaymentCard, "health-id", "password", "security-question", Biometric, OtherSecret}
}

// Hides reports whether the column is never shown.
func (s Secret) Hides() bool { return s != "" && s != NoSecret }

// UnmarshalYAML reads a kind, or true or false.
func (s *Secret) UnmarshalYAML(n *yaml.Node) error {
	var said bool
	if n.ShortTag() != "!!bool" {
		*s = Secret(n.Value)
		return nil
	}
	if err := n.Decode(&said); err != nil {
		return err
	}
	if *s = NoSecret; said {
		*s = OtherSecret
	}
	return nil
}

// suspects returns words that, in a column's name, mostly stand for secrets. Words of more than
// five letters are found within others as well (passwordhash, cardnumber); short ones, and
// those that end with a dot, stand alone.
func suspects() [][2]string {
	kinds := []struct{ kind, words string }{
		{"password", "password passwd passphrase passcode pass_code pwd pin secret. password_hash salt mot_de_passe passwort crypted_pass otp"},
		{"security-question", "security_question security_answer secret_question secret_answer mother_maiden mothers_maiden maiden_name"},
		{"payment-card", "card_number card_no card_num card_nr cc_number cc_num cc_no credit_card debit_card pan cvv cvc cvv2 cvc2 numero_carte numero_de_carte"},
		{"financial-account", "iban bic bank_account account_number account_no routing_number sort_code aba_number numero_compte kontonummer rib"},
		{"government-id", "passport ssn sin nino nir bsn cpf pesel tin itin curp aadhaar dni personnummer steuer_id social_security social_insurance national_id national_number national_insurance " +
			"driver_licence drivers_licence driver_license drivers_license driving_licence driving_license identity_card identity_document identity_number id_card id_number government_id military_id carte_identite numero_securite_sociale"}, //nolint:misspell // French
		{"biometric", "face_template face_embedding face_print faceprint iris retina voiceprint voice_print voice_template fingerprint fingerprints fingerprint_template biometric biometrics palm_print"},
		{"health-id", "medical_record health_insurance medicare patient_number carte_vitale"},
		{"true", "api_key apikey private_key signing_key encryption_key secret_key access_key access_token refresh_token session_token auth_token reset_token confirmation_token remember_token token otp_secret totp totp_secret mfa_secret " +
			"two_factor_secret webhook_secret client_secret recovery_code recovery_codes backup_code backup_codes recovery_key seed_phrase"},
	}
	var out [][2]string
	for _, k := range kinds {
		for word := range strings.FieldsSeq(k.words) {
			out = append(out, [2]string{word, k.kind})
		}
	}
	return out
}

// about returns last words of names that tell of a secret and hold none: password_changed_at.
func about() []string {
	return []string{"at", "on", "date", "time", "type", "kind", "status", "state", "brand", "count", "attempts", "enabled", "disabled", "required", "verified", "valid", "changed", "expired", "expires", "expiry", "sent", "last4", "hint", "length", "strength", "policy"}
}

// SuspectedSecret returns the kind of secret that a column's name stands for; empty: none.
// Lint asks that a manifest says of such a column whether it is one.
func SuspectedSecret(column string) Secret { return Secret(suspect(column)) }

// suspect returns the kind of secret that a column's name stands for; empty: none. What stands
// for most of the name counts: recovery_code is no code.
func suspect(column string) string {
	words := NameWords(column)
	if len(words) == 0 || slices.Contains(about(), words[len(words)-1]) {
		return ""
	}
	apart, glued := "_"+strings.Join(words, "_")+"_", strings.Join(words, "")
	kind, longest := "", 0
	for _, s := range suspects() {
		word, alone := strings.CutSuffix(s[0], ".")
		one := strings.ReplaceAll(word, "_", "")
		if found := strings.Contains(apart, "_"+word+"_") || !alone && len(one) > 5 && strings.Contains(glued, one); found && len(one) > longest {
			kind, longest = s[1], len(one)
		}
	}
	return kind
}

// NameWords returns the words of a name, in lower case: MotherMaidenName, mother_maiden-name
// and mother.maiden.name have three.
func NameWords(name string) []string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]) && unicode.IsUpper(runes[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
