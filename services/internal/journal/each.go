package journal

import "context"

// Each calls do for every request that has a fingerprint, page by page, the newest first.
func Each(ctx context.Context, l interface {
	List(ctx context.Context, f Filter) ([]Row, error)
}, fingerprint string, do func(Row) error,
) error {
	f := Filter{Fingerprint: fingerprint, Limit: MaxList}
	for {
		rows, err := l.List(ctx, f)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := do(row); err != nil {
				return err
			}
		}
		if len(rows) < f.Limit {
			return nil
		}
		last := rows[len(rows)-1]
		f.After = Cursor{ReceivedAt: last.ReceivedAt, DueAt: last.DueAt, RequestID: last.RequestID}
	}
}
