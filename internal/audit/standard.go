package audit

import "vitals/internal/profile"

// Severity is how much a broken line of the checklist gives away.
type Severity string

// The severities, as SARIF viewers sort them: 9.0, 7.5, 5.0 and 2.5 of 10.
const (
	Critical Severity = "critical"
	High     Severity = "high"
	Medium   Severity = "medium"
	Low      Severity = "low"
)

// Score is the severity as a number of 10.
func (s Severity) Score() string {
	return map[Severity]string{Critical: "9.0", High: "7.5", Medium: "5.0", Low: "2.5"}[s]
}

// proof is what a probe proves to others: which promise of a profile it holds an API
// to, which requirements of OWASP ASVS 5.0.0 it is about as a whole, which weaknesses (CWE) it would show,
// and which limits it can be asked of.
type proof struct {
	severity Severity
	promises []string // any of them is enough: "limits.login", "promises.health"
	asvs     []string // chapter.section.requirement, of the release 5.0.0
	cwe      []int
	fits     func(l profile.Limit) string // why the limit on signing in is none that it is about; "" = it is
}

// proofs are those of all probes.
var proofs = map[string]proof{
	"CF1": {Critical, nil, []string{"13.3.1"}, []int{1188, 798}, nil},
	"CF2": {High, nil, []string{"13.4.2"}, []int{1188}, nil},
	"CF3": {High, []string{"promises.cors"}, nil, []int{942}, nil},
	"CF4": {Medium, nil, []string{"13.3.1"}, []int{522}, nil},
	"CF5": {High, nil, []string{"16.2.5"}, []int{532}, nil},
	"CF6": {Low, nil, nil, []int{400}, nil},
	"CF7": {Low, nil, []string{"13.2.6"}, []int{400, 772}, nil},

	"HL1": {Low, []string{"promises.health"}, nil, nil, nil},
	"HL2": {Medium, []string{"promises.health.ready"}, nil, nil, nil},
	"HL3": {Low, []string{"promises.health.live"}, nil, nil, nil},
	"HL4": {Medium, []string{"promises.health"}, []string{"16.5.2"}, nil, nil},
	"HL5": {Medium, []string{"promises.health"}, []string{"16.5.2"}, nil, nil},
	"HL6": {Medium, []string{"promises.health"}, []string{"16.5.2"}, nil, nil},
	"HL7": {Medium, []string{"promises.health"}, nil, []int{799}, nil},
	"HL8": {Medium, []string{"promises.health"}, nil, nil, nil},

	"RQ1": {Low, []string{"promises.request_ids"}, nil, []int{778}, nil},
	"RQ2": {Low, []string{"promises.request_ids"}, nil, []int{778}, nil},
	"RQ3": {Medium, []string{"promises.request_ids"}, nil, []int{117}, nil},
	"RQ4": {Low, nil, []string{"16.2.1", "16.2.4"}, []int{778}, nil},
	"RQ5": {High, nil, []string{"16.2.5"}, []int{532}, nil},

	"CO1": {Medium, []string{"promises.cors"}, nil, []int{942}, nil},
	"CO2": {High, []string{"promises.cors"}, []string{"3.4.2"}, []int{942}, nil},
	"CO3": {Medium, []string{"promises.cors"}, nil, []int{942}, nil},
	"CO4": {Low, []string{"promises.cors"}, nil, nil, nil},
	"CO5": {Medium, []string{"promises.cors"}, nil, []int{942}, nil},

	"SH1": {Medium, []string{"promises.security_headers"}, nil, []int{693, 1021}, nil},
	"SH2": {Medium, nil, nil, []int{444}, nil},
	"SH3": {High, nil, nil, []int{200, 489, 538}, nil},
	"SH4": {Medium, nil, []string{"15.2.2"}, []int{400}, nil},
	"SH5": {Medium, []string{"promises.errors"}, []string{"16.5.1", "16.5.4"}, []int{209}, nil},
	"SH6": {High, nil, []string{"1.5.3"}, []int{178, 436}, nil},
	"SH7": {High, nil, []string{"2.2.1"}, []int{20, 248}, nil},
	"SH8": {Medium, nil, []string{"15.2.2"}, []int{400, 770}, nil},

	"SH9": {Low, []string{"promises.errors"}, nil, nil, nil},

	"AU1":  {Medium, nil, []string{"6.3.8"}, []int{203, 204}, nil},
	"AU2":  {Medium, nil, []string{"6.3.8"}, []int{208}, nil},
	"AU3":  {Critical, nil, nil, []int{347, 345}, nil},
	"AU4":  {High, nil, []string{"10.4.5"}, []int{613, 294}, nil},
	"AU5":  {High, nil, []string{"10.4.5", "15.4.2"}, []int{362, 367}, nil},
	"AU6":  {High, nil, []string{"7.4.3"}, []int{613}, nil},
	"AU7":  {High, nil, []string{"6.4.3"}, []int{640}, nil},
	"AU8":  {Medium, nil, []string{"6.3.8"}, []int{203, 204}, nil},
	"AU9":  {High, nil, []string{"6.5.1", "15.4.2"}, []int{294, 362}, nil},
	"AU10": {Critical, []string{"promises.objects"}, []string{"8.2.2"}, []int{639}, nil},
	"AU11": {High, []string{"promises.objects"}, []string{"15.3.3", "8.2.3"}, []int{915}, nil},
	"AU12": {Medium, nil, []string{"6.1.1"}, []int{645, 770}, nil},
	"AU14": {Critical, []string{"promises.admins"}, []string{"8.2.1"}, []int{285, 862}, nil},
	"AU13": {High, nil, []string{"7.4.1"}, []int{613}, nil},

	"LK1":  {High, []string{"limits.login"}, []string{"6.3.1"}, []int{307}, nil},
	"LK2":  {High, []string{"limits.login"}, []string{"6.3.1"}, []int{307}, nil},
	"LK3":  {High, []string{"limits.login"}, []string{"6.3.1"}, []int{307, 204}, nil},
	"LK4":  {Medium, []string{"limits.login"}, []string{"6.1.1", "6.3.1"}, []int{645}, locks},
	"LK5":  {Medium, []string{"limits.login"}, []string{"6.3.1"}, []int{307}, locks},
	"LK6":  {High, []string{"limits.login"}, []string{"6.1.1"}, []int{645}, ofOne},
	"LK7":  {High, []string{"limits.login"}, []string{"6.1.1"}, []int{645}, ofAddress},
	"LK8":  {Critical, []string{"limits.login"}, []string{"6.3.1", "15.4.2"}, []int{362, 367, 307}, nil},
	"LK9":  {High, []string{"limits.login"}, []string{"6.3.1", "16.5.3"}, []int{307}, nil},
	"LK10": {High, []string{"limits.login"}, []string{"16.5.2", "16.5.3"}, []int{636, 755}, locks},
	"LK11": {High, []string{"limits.login"}, []string{"16.5.2", "16.5.3"}, []int{636, 755}, locks},
	"LK12": {High, []string{"limits.login"}, []string{"16.5.2", "16.5.3"}, []int{636, 755}, nil},
	"LK13": {High, []string{"limits.login"}, []string{"6.1.1"}, []int{645}, failures},
	"LK14": {High, []string{"limits.login"}, []string{"6.3.1"}, []int{307}, untilSuccess},
	"LK15": {Medium, []string{"limits.login"}, []string{"6.1.1"}, []int{645}, forgiven},
	"LK16": {Medium, []string{"limits.login"}, []string{"6.1.1"}, []int{645}, forgets},
	"LK17": {Critical, []string{"limits.login"}, []string{"4.1.3", "6.3.1", "15.3.4"}, []int{290, 348}, ofAddress},
	"LK18": {High, []string{"limits.login"}, []string{"4.1.3", "6.3.1", "15.3.4"}, []int{290, 348}, ofAddress},
	"LK19": {Medium, []string{"limits.login"}, []string{"6.3.1", "15.3.4"}, []int{307}, byAddress},
	"LK20": {High, []string{"limits.login"}, []string{"6.3.1"}, []int{178, 307}, nil},
	"LK21": {High, []string{"limits.2fa_verify"}, []string{"6.6.3"}, []int{307}, nil},
	"LK22": {Medium, []string{"limits.password_reset", "limits.password_change"}, []string{"6.3.1"}, []int{799}, nil},
	"LK23": {Medium, []string{"limits.api"}, []string{"15.2.2"}, []int{770, 799}, nil},
	"LK24": {Low, []string{"limits.api"}, []string{"15.2.2"}, []int{770, 799}, nil},
	"LK25": {Medium, []string{"limits.login"}, []string{"6.3.1"}, []int{307}, failures},
	"LK26": {Medium, []string{"limits.login"}, []string{"6.1.1", "16.5.2"}, []int{645}, failures},
	"LK27": {High, []string{"limits.login"}, []string{"6.3.1"}, []int{307}, nil},
	"LK28": {Medium, []string{"limits.login"}, []string{"15.2.2", "15.4.4"}, []int{400}, nil},
	"LK29": {Medium, []string{"limits.login"}, []string{"6.1.1", "6.3.1"}, []int{307, 645}, throttles},
	"LK30": {Low, nil, nil, []int{778}, nil},
	"LK31": {Medium, []string{"limits.login"}, []string{"16.5.2"}, []int{772}, nil},
	"LK32": {High, []string{"limits.password_reset", "limits.2fa_verify"}, []string{"4.1.3", "6.6.3", "15.3.4"}, []int{290, 307, 348}, nil},

	"DB1": {Low, nil, []string{"13.2.6"}, []int{400, 772}, nil},
	"DB2": {Medium, nil, []string{"13.2.6"}, []int{400, 772}, nil},
	"DB3": {Low, nil, []string{"13.2.6"}, []int{772}, nil},
	"DB4": {Low, nil, []string{"13.2.6"}, []int{772}, nil},

	"SE1": {Low, nil, []string{"16.3.4"}, []int{778}, nil},
	"SE2": {Low, nil, []string{"15.2.2"}, []int{400}, nil},
	"SE3": {Medium, nil, []string{"16.5.2"}, []int{636}, nil},
}

// parts are the requirements that single checks of a probe are about, as For marks them.
var parts = map[string][]string{
	"RQ3": {"16.4.1"},
	"SH1": {"3.4.1", "3.4.3", "3.4.4", "3.4.5", "3.4.6", "13.4.6", "14.3.2"},
	"SH2": {"4.1.4", "4.2.1", "13.4.4"},
	"SH3": {"13.4.1", "13.4.2", "13.4.5", "13.4.7"},
	"SH7": {"16.5.4"},
	"AU3": {"9.1.1", "9.1.2", "9.1.3", "9.2.2"},
}

// What a limit on signing in must be for some probes to make sense.

func locks(l profile.Limit) string {
	if !l.Locks() {
		return "the limit on signing in has no lock"
	}
	return ""
}

// byAddress is for limits that count whatever comes from an address.
func byAddress(l profile.Limit) string {
	if l.By != "" && l.By != profile.ByAddress && l.By != profile.ByBoth {
		return "the limit on signing in does not count by address alone"
	}
	return ""
}

// ofAddress is for limits that another address has a count of its own under.
func ofAddress(l profile.Limit) string {
	if l.By == profile.ByPair {
		return ""
	}
	if byAddress(l) != "" {
		return "the limit on signing in does not count by address"
	}
	return ""
}

// ofOne is for limits with one count, of which can be said whom its lock concerns.
func ofOne(l profile.Limit) string {
	if l.By == profile.ByBoth {
		return "the limit on signing in counts by address and by account, so that either may be locked"
	}
	return ""
}

// untilSuccess is for limits that a success of somebody else is not promised to end.
func untilSuccess(l profile.Limit) string {
	if !l.Forgets() {
		return "the limit on signing in has no window: it counts until the lock, or a success, whosever that is"
	}
	return ""
}

func failures(l profile.Limit) string {
	if l.Counts != profile.Failures {
		return "the limit on signing in counts requests, right ones as well"
	}
	return ""
}

// forgiven is for counts that a success is promised to clear.
func forgiven(l profile.Limit) string {
	switch {
	case failures(l) != "":
		return failures(l)
	case l.Success == profile.Keeps:
		return "the limit on signing in keeps what was counted when somebody signs in"
	case l.Success == "":
		return "the profile does not say what a success does to counted failures (success: of the limit)"
	}
	return ""
}

func forgets(l profile.Limit) string {
	if !l.Forgets() {
		return "the limit on signing in has no window"
	}
	return ""
}

func throttles(l profile.Limit) string {
	if l.Account == 0 {
		return "no throttle on an account is promised"
	}
	return ""
}
