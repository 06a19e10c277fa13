module habeas.dev/schemas

go 1.26
