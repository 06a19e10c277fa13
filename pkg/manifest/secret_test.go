package manifest_test

import (
	"strings"
	"testing"

	"habeas.dev/pkg/manifest"
)

// TestNamesOfSecrets: names that people give to secrets are noticed, however their words are
// put together, and names that only tell of one aren't.
func TestNamesOfSecrets(t *testing.T) {
	t.Parallel()
	for kind, names := range map[string]string{
		"password":          "password Password password_hash password-hash passwordhash passwordHash encrypted_password hashed_password user_password passwd pwd PWD pin pin_code door_pin salt password_salt passphrase passcode mot_de_passe secret user_secret otp",
		"security-question": "security_question securityAnswer security_answer_1 mothers_maiden_name MotherMaidenName mother.maiden.name maiden_name secret_question",
		"payment-card":      "card_number cardNumber cardnumber card_no cc_number CCNumber credit_card credit_card_number debit_card pan cvv cvc cvv2 numero_carte numero_de_carte",
		"financial-account": "iban IBAN bank_account bankaccount account_number accountNumber account_no sort_code sortCode routing_number bic numero_compte",
		"government-id":     "passport passport_number passportNo ssn SSN social_security_number nino nir bsn cpf pesel tin national_id nationalId national_insurance_number driver_license driver_licence drivers_license drivers_licence driving_licence driving_license_no identity_document identity_card id_card id_number numero_securite_sociale",
		"biometric":         "face_template face_embedding faceEmbedding faceprint iris voiceprint voice_print fingerprint fingerprint_template biometric_hash",
		"health-id":         "medical_record_number health_insurance_id medicare_number",
		"true":              "api_key apiKey APIKey apikey private_key token access_token accesstoken refresh_token session_token reset_token auth_token totp totp_secret otp_secret recovery_codes backup_codes client_secret webhook_secret",
	} {
		for name := range strings.FieldsSeq(names) {
			if got := manifest.SuspectedSecret(name); string(got) != kind {
				t.Errorf("%s is taken for %q, and not for %q", name, got, kind)
			}
		}
	}
	for name := range strings.FieldsSeq("email account_id customer_id secretary secretary_name company pantry spinning shipping pinned tint tinted saltwater species panel password_changed_at passwordExpires pin_attempts passport_type passport_expiry card_type card_brand card_last4 " +
		"token_type token_count two_factor_enabled mfa_enabled biometric_enabled iban_verified cookie_id session_id device_id key keyword discard number card name city postal_code code note body amount cardiology sinus basin ribbon origin") {
		if got := manifest.SuspectedSecret(name); got != "" {
			t.Errorf("%s is taken for %q", name, got)
		}
	}
}
