package slack

import (
	"context"
	"slices"
	"strings"

	"github.com/slack-go/slack"
)

// Check reports why a message to channel would fail, without sending one: it asks Slack who the token belongs to and
// what it may do and, if the token has a scope for it (channels:read or groups:read), about the channel. What the
// scopes do not let it see is told to Notes and is no error.
func (b *Bot) Check(ctx context.Context, channel string) error {
	scopes, err := b.checkToken(ctx)
	if err != nil {
		return err
	}
	op := "looking up channel " + channel
	if !isID(channel) {
		tell(b.Notes, op, "Slack looks channels up by ID only; give the ID so that a renamed channel is found, too")
		return nil
	}
	var info *slack.Channel
	err = b.do(ctx, op, true, func(ctx context.Context, api *slack.Client) (bool, error) {
		var err error
		info, err = api.GetConversationInfoContext(ctx, &slack.GetConversationInfoInput{ChannelID: channel})
		return info != nil && info.ID != "", err
	})
	if e, ok := err.(*Error); ok && e.Kind == MissingScope {
		tell(b.Notes, op, "the token has no scope to look (channels:read), so the channel is not checked")
		return nil
	}
	switch {
	case err != nil:
		return err
	case info.IsArchived:
		return &Error{Op: op, Kind: ChannelArchived, Detail: "use another channel or bring it back"}
	case !info.IsMember && (info.IsPrivate || !slices.Contains(scopes, "chat:write.public")):
		return &Error{Op: op, Kind: NotInChannel, Detail: "invite the bot to it"}
	}
	return nil
}

// checkToken returns the token's scopes, or nil if Slack does not say.
func (b *Bot) checkToken(ctx context.Context) ([]string, error) {
	op := "checking the bot token"
	var who *slack.AuthTestResponse
	err := b.do(ctx, op, true, func(ctx context.Context, api *slack.Client) (bool, error) {
		var err error
		who, err = api.AuthTestContext(ctx)
		return who != nil && who.UserID != "", err
	})
	if err != nil {
		return nil, err
	}
	var scopes []string
	for s := range strings.SplitSeq(who.Header.Get("X-OAuth-Scopes"), ",") {
		if s = strings.TrimSpace(s); s != "" {
			scopes = append(scopes, s)
		}
	}
	if len(scopes) > 0 && !slices.Contains(scopes, "chat:write") {
		return nil, &Error{Op: op, Kind: MissingScope, Detail: "it needs chat:write"}
	}
	return scopes, nil
}

// isID reports whether channel looks like a channel's ID and not like its name: names have no capital letters.
func isID(channel string) bool {
	return len(channel) > 1 && strings.ContainsRune("CGD", rune(channel[0])) && strings.ToUpper(channel) == channel
}
