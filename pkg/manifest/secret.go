package manifest

import (
	"slices"
	"strings"

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

// PaymentCard is the kind of which the last four digits are shown.
const PaymentCard Secret = "payment-card"

// SecretKinds lists the kinds of secrets.
func SecretKinds() []Secret {
	return []Secret{"government-id", "financial-account", PaymentCard, "health-id", "password", "security-question", "biometric", OtherSecret}
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

// suspects returns words that, in a column's name, mostly stand for secrets.
func suspects() [][2]string {
	return [][2]string{
		{"passport", "government-id"}, {"ssn", "government-id"}, {"social_security", "government-id"}, {"driver_licence", "government-id"}, {"drivers_license", "government-id"}, {"national_id", "government-id"},
		{"iban", "financial-account"}, {"bank_account", "financial-account"}, {"routing_number", "financial-account"},
		{"card_number", "payment-card"}, {"credit_card", "payment-card"}, {"pan", "payment-card"}, {"cvv", "payment-card"}, {"cvc", "payment-card"},
		{"password", "password"}, {"passwd", "password"}, {"secret", "password"}, {"password_hash", "password"}, {"encrypted_password", "password"},
		{"api_key", "true"}, {"private_key", "true"}, {"access_token", "true"}, {"refresh_token", "true"}, {"otp_secret", "true"}, {"totp", "true"},
		{"security_question", "security-question"}, {"security_answer", "security-question"},
		{"face_template", "biometric"}, {"iris", "biometric"}, {"voiceprint", "biometric"}, {"fingerprint_template", "biometric"},
		{"medical_record", "health-id"}, {"health_insurance", "health-id"},
	}
}

// SuspectedSecret returns the kind of secret that a column's name stands for; empty: none.
// Lint asks that a manifest says of such a column whether it is one.
func SuspectedSecret(column string) Secret { return Secret(suspect(column)) }

// suspect returns the kind of secret that a column's name stands for; empty: none.
func suspect(column string) string {
	// MotherMaidenName, mother_maiden_name: words apart, in lower case.
	var b strings.Builder
	b.WriteByte('_')
	for i, r := range column {
		if i > 0 && r >= 'A' && r <= 'Z' && column[i-1] >= 'a' && column[i-1] <= 'z' {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToLower(string(r)))
	}
	b.WriteByte('_')
	name := b.String()
	at := slices.IndexFunc(suspects(), func(s [2]string) bool { return strings.Contains(name, "_"+s[0]+"_") })
	if at < 0 {
		return ""
	}
	return suspects()[at][1]
}
