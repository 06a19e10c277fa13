package main

import "fmt"

// version is set by the linker for a release.
var version = "development"

type versionCommand struct{}

func (versionCommand) Run() error {
	_, err := fmt.Println("habeas", version)
	return err
}
