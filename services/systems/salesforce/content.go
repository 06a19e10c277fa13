package salesforce

import (
	"context"
	"encoding/base64"
	"net/http"

	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// content fetches a file's bytes, in base64. One over [record.MaxFile] fails its subject, by
// name of the object: somebody must copy it by hand. It is nil where there are none any more,
// as of a version in the recycle bin. Salesforce has no call that gives two. Of
// the size that the record tells, a byte less is an answer that broke off.
func (w *Worker) content(ctx context.Context, o *object, id string, size []byte) (any, error) {
	tooLarge := worker.Permanent("file-too-large", "a file in dataset "+o.dataset+" is larger than can be copied by machine: copy it by hand", nil)
	if vendorapi.Int(size) > record.MaxFile {
		return nil, tooLarge
	}
	var content any
	err := w.api.Do(ctx, vendorapi.Call{
		Name: "file", Method: http.MethodGet, Path: "/services/data/" + w.version + "/sobjects/" + o.Object + "/" + id + "/" + o.Content,
		Safe: true,
		Expect: vendorapi.One(func(a *vendorapi.Answer) error {
			if len(a.Body) > record.MaxFile {
				return tooLarge
			}
			if !isNull(size) && vendorapi.Int(size) != int64(len(a.Body)) {
				return errShort
			}
			content = base64.StdEncoding.EncodeToString(a.Body)
			return nil
		}),
	})
	if hasCode(err, codeGone) {
		return nil, nil
	}
	return content, err
}
