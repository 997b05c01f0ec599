package main

import (
	"github.com/spf13/cobra"
)

// commands are the nouns, and the daily acts in one word.
func (a *app) commands() []*cobra.Command {
	list := []*cobra.Command{a.orgCommand(), a.trustCommand(), a.registryCommand(), a.qualityCommand(), a.exerciseCommand(), a.importCommand(), a.programmeCommand(), a.entitleCommand(), a.issueCommand(), a.blankCommand(), a.cardCommand(), a.offerCommand(), a.walletCommand(), a.printCommand()}
	list = append(list, a.statusActs()...)
	list = append(list, a.consentCommand(), a.agreementCommand(), a.rightsCommand(), a.retentionCommand(), a.accountCommand(), a.auditCommand(), a.checkCommand(), a.backupCommand(), a.restoreCommand())
	return append(list, a.statusCommand(), a.packCommand(), a.deviceCommand(), a.badgeCommand(), a.serveCommand(), a.siteCACommand(), a.verifyCommand(), a.requestCommand(), a.visitsCommand(), a.framesCommand(), a.demoCommand())
}
