package words

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// format says how a language writes dates and numbers.
type format struct {
	Name string `yaml:"name"`
	// Date is a format of day, month and year, in this order.
	Date string `yaml:"date"`
	// First stands for the day 1.
	First string `yaml:"first"`
	// Moment is a format of a date and a time.
	Moment string     `yaml:"moment"`
	Months [12]string `yaml:"months"`
	// ShortMonths are written where there is little room; empty: the months as they are.
	ShortMonths [12]string `yaml:"short_months"`
	Thousands   string     `yaml:"thousands"`
	// Decimal stands between whole and decimal places.
	Decimal string `yaml:"decimal"`
	// Singular are the numbers that take the first of two forms.
	Singular []int64 `yaml:"singular"`
	// Bound are the marks that stand behind a space, on the line of what is before it; and Opens
	// those before a space, on the line of what is behind it.
	Bound []string `yaml:"bound"`
	Opens []string `yaml:"opens"`
}

// Date writes a day: "20 November 2026", with a space that doesn't break behind the
// day.
func (l *Language) Date(t time.Time) string {
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day = l.format.First
	}
	return filled(l.format.Date, day, l.format.Months[t.Month()-1], strconv.Itoa(t.Year()))
}

// ShortDate writes a day where there is little room: "20 Nov 2026".
func (l *Language) ShortDate(t time.Time) string {
	return filled(l.format.Date, strconv.Itoa(t.Day()), cmp.Or(l.format.ShortMonths[t.Month()-1], l.format.Months[t.Month()-1]), strconv.Itoa(t.Year()))
}

// ShortMoment writes a day and a time where there is little room, in UTC: "20 Nov 2026,
// 09:30 UTC". The layout says how exact the time is.
func (l *Language) ShortMoment(t time.Time, layout string) string {
	t = t.UTC()
	return filled(l.format.Moment, l.ShortDate(t), t.Format(layout))
}

// filled puts texts into a format of %s and %[2]s, as fmt does: a page has many dates.
func filled(format string, values ...string) string {
	out := make([]byte, 0, len(format)+32)
	next := 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			out = append(out, format[i])
			continue
		}
		if i++; format[i] == '[' && i+3 < len(format) {
			next = int(format[i+1] - '1')
			i += 3
		}
		if format[i] == 's' && next >= 0 && next < len(values) {
			out = append(out, values[next]...)
			next++
		}
	}
	return string(out)
}

// Month writes a month: "November 2026".
func (l *Language) Month(t time.Time) string {
	return l.format.Months[t.Month()-1] + "\u00a0" + strconv.Itoa(t.Year())
}

// PlainDate writes a day as text that has ordinary spaces.
func (l *Language) PlainDate(t time.Time) string {
	return strings.ReplaceAll(l.Date(t), "\u00a0", " ")
}

// Moment writes a day and a time, in UTC: "20 November 2026, 09:30 UTC".
func (l *Language) Moment(t time.Time) string {
	t = t.UTC()
	return filled(l.format.Moment, l.Date(t), t.Format("15:04"))
}

// Number writes n with the language's thousands separator.
func (l *Language) Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	if n < 1000 {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteString(l.format.Thousands)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// groupedFrom is the number of digits from which a number of a record has separators: one of
// four digits may be a year.
const groupedFrom = 5

// Literal writes a number as JSON has it, in the language: "12 345,5". One in scientific
// notation stays as it is.
func (l *Language) Literal(number string) string {
	if strings.ContainsAny(number, "eE") {
		return number
	}
	digits, sign := strings.TrimPrefix(number, "-"), ""
	if len(digits) < len(number) {
		sign = "\u2212"
	}
	whole, places, hasPlaces := strings.Cut(digits, ".")
	var b strings.Builder
	b.WriteString(sign)
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 && len(whole) >= groupedFrom {
			b.WriteString(l.format.Thousands)
		}
		b.WriteRune(r)
	}
	if hasPlaces {
		b.WriteString(l.format.Decimal)
		b.WriteString(places)
	}
	return b.String()
}

// Decimal writes x with one decimal, where it isn't whole, and the language's mark.
func (l *Language) Decimal(x float64) string {
	s := strings.TrimSuffix(strconv.FormatFloat(x, 'f', 1, 64), ".0")
	return strings.Replace(s, ".", l.format.Decimal, 1)
}

// Form returns the one of two forms that n takes.
func (l *Language) Form(n int64, forms [2]string) string {
	if slices.Contains(l.format.Singular, n) {
		return forms[0]
	}
	return forms[1]
}
