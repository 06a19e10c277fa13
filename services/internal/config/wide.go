package config

// answer is one answer to what value of a setting is wider than it must be.
type answer struct {
	// is says what is too wide of a setting that is; else it returns nothing.
	is   func(view, setting) string
	cure string
	// holds says that the setting names a file with a secret.
	holds bool
}

// The answers that settings of one kind share.
var (
	plainText  = answer{is: isPlainText, cure: "https"}
	inAddress  = answer{is: hasPassword, cure: "name a file: passfile=/run/secrets/…, of PostgreSQL and MariaDB"}
	unchecked  = answer{is: isUnchecked, cure: "sslmode=verify-full of PostgreSQL, tls=true of MariaDB"}
	sameUser   = answer{is: isSameUser, cure: "a database user for each, with its own rights"}
	keyInFile  = answer{is: hasKey, cure: "a file of its own, or a key service"}
	readable   = answer{is: isReadable, cure: "chmod 600, or a secret that is mounted so: for who must read it alone"}
	sameSecret = answer{is: isSameSecret, cure: "a secret for each: who has one has the others", holds: true}
	writable   = answer{is: isWritable, cure: "chmod go-w: what it says is what Habeas does"}
	nearKeys   = answer{is: liesWithWorkers, cure: "a place of its own"}
	inData     = answer{is: liesInDataWithVault, cure: "a secret of the services that open, or a key service"}
	samePlace  = answer{is: isSamePlace, cure: "a folder or a bucket of its own, with rights of its own"}
	anybodys   = answer{is: isAnybodys, cure: "an identity of each component's own, with rights on its part alone"}
	superuser  = answer{is: isSuperuser, cure: "a user of its own, with the rights that it needs (docs/databases.md; deploy/postgres/roles.sql for the journal)"}
	noTLS      = answer{is: isListenerWithoutTLS, cure: "name cert_file and key_file"}

	secret = []answer{readable, sameSecret}
	web    = []answer{plainText, inAddress}
	base   = []answer{plainText, inAddress, unchecked, superuser, sameUser, readable, sameSecret}
	bucket = []answer{plainText, inAddress, anybodys}
	master = []answer{keyInFile, plainText, inAddress, nearKeys, inData, readable, sameSecret}
	rule   = []answer{writable}
)

// table says of each setting what value of it is wider than it must be, and the cure.
// [narrow] has those of which none is; TestEverySettingIsAsked fails where a setting is in
// neither.
var table = map[string][]answer{
	"data": {{is: isOpenFolder, cure: "chmod 700: Habeas alone needs it"}},

	// Doors.
	"tls":                        {noTLS},
	"monitor.tls":                {noTLS},
	"console.tls":                {noTLS},
	"portal.tls":                 {noTLS},
	"tls.key_file":               secret,
	"monitor.tls.key_file":       secret,
	"console.tls.key_file":       secret,
	"portal.tls.key_file":        secret,
	"tls.client_ca_file":         rule,
	"console.tls.client_ca_file": rule,
	"portal.tls.client_ca_file":  rule,
	"monitor.tls.client_ca_file": {writable, {is: isOpenMonitor, cure: "name who issues your Prometheus' certificate, or listen on loopback"}},
	"proxies.*":                  {{is: isWideNetwork, cure: "the addresses of your proxies alone, as 10.1.2.0/28"}},
	"door_url":                   web,
	"per_person":                 {{is: above(maxPerPerson, "requests of one person within a day"), cure: "20, which is the default"}},

	// Who is believed.
	"proof":                            {{is: saysNever, cure: "unverified, or without"}},
	"callers":                          {{is: isNobodysDoor, cure: "name who may call"}},
	"callers.*.rights":                 {{is: asksAll, cure: "name those that it needs"}},
	"callers.*.proves":                 {{is: provesOutside, cure: "leave it out: only Habeas' own portal has people prove what they type"}},
	"callers.*.per_minute":             {{is: above(maxPerMinute, "calls a minute"), cure: "600, which is the default, or what it needs"}},
	"callers.*.callback.url":           web,
	"callers.*.callback.secret_file":   secret,
	"issuers.*.keys":                   web,
	"issuers.*.issuer":                 web,
	"issuers.*.type":                   {{is: isEmpty("any of its tokens with that audience opens the door, an ID token in a browser too"), cure: "at+jwt (RFC 9068), or what the issuer writes into its access tokens' typ"}},
	"producers":                        {{is: isNobodysTopic, cure: "name who signs requests by Kafka"}},
	"producers.*.rights":               {{is: asksAll, cure: "name those that it needs"}},
	"producers.*.keys.*":               rule,
	"producers.*.callback.url":         web,
	"producers.*.callback.secret_file": secret,

	// Kafka.
	"kafka.brokers":            {{is: isEmbedded, cure: "use a cluster, with a user for each service (habeas topics access)"}},
	"kafka.tls":                {{is: isPlainKafka, cure: "tls: {enabled: true}, or ca_file"}},
	"kafka.tls.ca_file":        rule,
	"kafka.tls.key_file":       secret,
	"kafka.sasl":               {{is: isNobodyInKafka, cure: "a user for each service, with the rights of habeas topics access"}},
	"kafka.sasl.user":          {{is: isNoComponent, cure: "a user for each service (habeas topics access), by HABEAS_KAFKA_USER where they share this file"}},
	"kafka.sasl.password_file": secret,

	// What is kept, and the keys.
	"journal":              append([]answer{{is: isNoRole, cure: "a role for each service (deploy/postgres/roles.sql), by HABEAS_JOURNAL where they share this file"}}, base...),
	"limits":               append([]answer{{is: isJournalOfVendors, cure: "a database of its own"}}, base...),
	"vault.apart":          {{is: isTogether, cure: "true, and each worker its own folder (objects/SYSTEM); or a bucket"}},
	"vault.bucket":         bucket,
	"vault.keys":           append([]answer{nearKeys, samePlace}, bucket...),
	"vault.key":            append([]answer{{is: isWithIntake, cure: "vault.sealing_key (habeas keys sealing), and no master key where intake is"}}, master...),
	"vault.sealing_key":    append([]answer{nearKeys, {is: isMissingOfIntake, cure: "habeas keys sealing FILE, and for intake that file in the place of the master key"}}, secret...),
	"vault.old_keys.*":     master,
	"links":                {{is: hasReadableFile, cure: "chmod 600 for each: a worker needs its own alone"}},
	"outbox":               append([]answer{samePlace}, bucket...),
	"receipts.name":        {{is: isEverybodys, cure: "a name of yours, before the first request"}},
	"receipts.bundle_key":  append([]answer{nearKeys}, secret...),
	"receipts.log_key":     append([]answer{nearKeys}, secret...),
	"receipts.mirror":      {samePlace, {is: isInData, cure: "a bucket that is in no backup of the journal or the vault"}, plainText, inAddress, anybodys},
	"receipts.witnesses.*": web,
	"keep.answer_days":     {{is: above(maxAnswerDays, "days for which answers can be opened"), cure: "30, which is the default"}},

	// Systems and what they need.
	"systems.*.dsn":                 base,
	"systems.*.url":                 base,
	"systems.*.manifest":            rule,
	"systems.*.client_secret_file":  secret,
	"systems.*.client_secret_store": {inAddress, plainText},
	"systems.*.files.*":             bucket,
	"systems.*.options.*":           {plainText, inAddress, {is: isReadable, cure: readable.cure}, {is: isSameSecret, cure: sameSecret.cure, holds: true}},
	"systems.*.calls_per_second":    {{is: isUnlimited, cure: "0, which is what its vendor advises"}},
	"laws.*":                        rule,
	"languages.*":                   rule,
	"purposes.*":                    rule,
	"recipients.*":                  rule,
	"retired.*":                     rule,
	"sandbox":                       {{is: isThere("people are invented, and vendors are stand-ins"), cure: "leave it out in production"}},

	// People.
	"letters.plain":                   {{is: isPlainMail, cure: "a server with TLS"}},
	"letters.password_file":           secret,
	"console.local":                   {{is: isThere("lets in whoever is on this machine, with every role"), cure: "sign people in: console.oidc"}},
	"console.url":                     web,
	"console.traces":                  web,
	"console.cookie_key_file":         append([]answer{{is: isConsolesWithout, cure: "openssl rand -base64 48 into a secret of the console's own"}}, secret...),
	"console.phrases_file":            rule,
	"console.oidc.issuer":             web,
	"console.oidc.client_secret_file": secret,
	"console.oidc.roles.*":            {{is: isAnothersRole, cure: "a value of its own for each role: the highest counts"}},
	"portal.local":                    {{is: isThere("leaves mail with codes in the data folder, and takes whoever is on this machine"), cure: "url, a certificate, and a mail server under letters"}},
	"portal.url":                      web,
	"portal.notice":                   web,
	"portal.logo":                     rule,
	"portal.secret_file":              append([]answer{{is: isPortalsWithout, cure: "openssl rand -base64 48 into a secret of the portal's own"}}, secret...),
	"portal.uploads":                  append([]answer{samePlace}, bucket...),
	"portal.uploads_key":              append([]answer{nearKeys}, secret...),
	"portal.door":                     web,
	"portal.token_file":               secret,
	"notify.webhooks.*.url":           web,
	"notify.webhooks.*.secret_file":   secret,
	"telemetry.otlp":                  web,
}

// The bounds above which a number is no more than carelessness.
const (
	maxPerPerson  = 100
	maxPerMinute  = 6000
	maxAnswerDays = 92
)

// narrow has the settings of which no value is wider than it must be, with the reason.
var narrow = map[string]string{
	"listen": "its TLS, and who may call, are asked for by those", "monitor.listen": "likewise", "console.listen": "likewise", "portal.listen": "likewise",
	"tls.cert_file": "public", "monitor.tls.cert_file": "public", "console.tls.cert_file": "public", "portal.tls.cert_file": "public", "kafka.tls.cert_file": "public",
	"callers.*.rights.*": "the fewer the better, and each is the operator's choice", "producers.*.rights.*": "likewise",
	"callers.*.believed": "asked with its rights", "producers.*.believed": "likewise", "callers.*.reads": "its own requests alone", "callers.*.fetches": "its own requests' answers alone, sealed",
	"callers.*.cancels": "its own requests alone", "callers.*.tells": "its own people alone", "callers.*.certificates.*": "one name, compared whole", "callers.*.jwts.*.issuer": "one that is configured",
	"callers.*.jwts.*.subject": "compared whole", "issuers.*.audience": "compared whole", "issuers.*.algorithms.*": "those with public keys alone are taken",
	"kafka.brokers.*": "where, not who", "kafka.client_id": "a name in logs", "kafka.tls.enabled": "asked with the whole of it", "kafka.tls.server_name": "the certificate is checked by it", "kafka.sasl.mechanism": "each proves a password",
	"topics.replication": "how safe, not who", "topics.partitions.*": "how fast",
	"keep.accountability_months": "a law's", "keep.backup_days": "what backups there are",
	"systems.*.client_id": "no secret", "systems.*.client_secret_env": "the name of a variable", "systems.*.calls_per_day": "how fast, not who", "systems.*.calls_at_once": "how fast, not who", "systems.*.elsewhere": "where it runs",
	"lease": "bounded", "controller": "a name", "identifiers.country": "an equivalence", "prove_again": "how often is looked", "came_back": "erases what was erased before, by the same proof",
	"four_eyes.*":          "the more, the narrower",
	"corrections.review":   "whose something is, is asked in any case",
	"controllers.*.laws.*": "what an answer says", "controllers.*.name": "likewise", "controllers.*.address": "likewise", "controllers.*.contact": "likewise", "controllers.*.officer": "likewise", "controllers.*.representative": "likewise",
	"controllers.*.authorities.*.name": "likewise", "controllers.*.authorities.*.url": "a public page of an authority's", "declarations.*.by": "what an answer says", "declarations.*.on": "likewise", "declarations.*.says": "likewise", "declarations.*.until": "likewise",
	"letters.from": "a name", "letters.smtp": "asked with plain", "letters.user": "a name",
	"console.oidc.client_id": "no secret", "console.oidc.device_client_id": "no secret", "console.oidc.name_claim": "a name", "console.oidc.roles_claim": "which claim is the provider's choice", "console.oidc.roles.*.*": "asked with the role", "console.oidc.scopes.*": "what is asked of the provider",
	"portal.accent": "a colour", "portal.identifiers.*": "what is asked for is a claim", "portal.uploads_recipient": "public",
	"notify.every": "how often", "notify.digest": "how often", "notify.due_within": "when", "notify.silent_after": "when", "notify.language": "a language", "notify.mail.*.to": "messages have counts and numbers of requests alone", "notify.mail.*.language": "a language",
	"log.level": "no level has personal data", "log.format": "a form",
	"sandbox.seed": "asked with the whole of it", "sandbox.people": "likewise", "sandbox.systems.*": "likewise", "sandbox.activity_rows": "likewise", "sandbox.without_files": "likewise", "sandbox.faults": "likewise", "sandbox.canaries": "likewise",
}
