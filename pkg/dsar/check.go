package dsar

// Check is one thing to be proven before anything is disclosed.
type Check string

// The checks (privacy notice, N8, N11, N12), and of who asks about a deceased person.
const (
	CheckIdentity     Check = "identity"     // that the person is who they say
	CheckAgent        Check = "agent"        // that who asks may ask on the person's behalf
	CheckOrganisation Check = "organisation" // that the organisation whose account it is agrees
	CheckGuardian     Check = "guardian"     // that who asks for a child is its parent or guardian
	CheckHeir         Check = "heir"         // that the person is dead, and who asks is an heir or settles the estate
)
