package report

type htmlAudit struct {
	Families   []htmlFamily
	Violations []string
}

type htmlFamily struct {
	Name     string
	Findings []htmlFinding
}

type htmlFinding struct {
	ID, Title, Status, Took, Reason, Why, Fix, Class, Transcript string
	Notes                                                        []string
	Open                                                         bool
}
