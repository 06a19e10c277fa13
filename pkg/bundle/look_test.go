package bundle_test
import ("testing";"os")
func TestLook(t *testing.T) {
	d, s := write(t, accessInput(t)); os.WriteFile("/tmp/look/en.zip", d, 0o600); t.Log(s)
	d, _ = write(t, inFrench(accessInput(t))); os.WriteFile("/tmp/look/fr.zip", d, 0o600)
}
