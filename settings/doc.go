// Package settings turns a command line, an Action's inputs, the environment and a configuration file into one checked
// value.
//
// The model: every setting is one row of one table (table.go). From the row come its flag, its Action input, its
// environment variable, its place in the file, its default and its help; action.yml and the README are held to the
// table by a test. For each row the first layer that gives a text that is not empty wins: flag, input, environment,
// file, default. Every text keeps its Source, so a fault can name the place to mend.
//
// Load does no work of its own: it reads through the functions it is given, writes nothing and contacts nobody. It
// reports all faults at once. Rules about who may choose where credentials go are in security.go.
//
// Secrets have no flags: a command line can be read by every process of the machine. DATABASE_URL and LITELLM_API_KEY
// are never read; they belong to LiteLLM and to its users.
package settings
