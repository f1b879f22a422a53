// Package rotate decides and carries out the rotation of one logical key.
package rotate
