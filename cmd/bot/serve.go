package main

import "context"

func (b *bot) serve(context.Context) int { return exitFailed }
