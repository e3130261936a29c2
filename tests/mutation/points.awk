# SPDX-License-Identifier: MIT
# The single mutations that a C file in kernel style has. For each it prints, with
# the character 037 between them: the file, the line's number, the rule, and the line
# as it becomes.
#	awk -f points.awk FILE...

function rule(name, from, to) {
	rules++
	rule_name[rules] = name
	rule_from[rules] = from
	rule_to[rules] = to
}

BEGIN {
	rule("<", " < ", " <= ")
	rule(">", " > ", " >= ")
	rule("<=", " <= ", " < ")
	rule(">=", " >= ", " > ")
	rule("==", " == ", " != ")
	rule("!=", " != ", " == ")
	rule("&&", " && ", " || ")
	rule("||", " || ", " && ")
	rule("+", " + ", " - ")
	rule("-", " - ", " + ")
	rule("*", " * ", " / ")
	rule("&", " & ", " | ")
	rule("|", " | ", " & ")
	rule("<<", " << ", " >> ")
	rule(">>", " >> ", " << ")
	rule("+=", " += ", " -= ")
	rule("-=", " -= ", " += ")
	rule("&=", " &= ", " |= ")
	rule("|=", " |= ", " &= ")
	rule("true", "return true;", "return false;")
	rule("false", "return false;", "return true;")
	rule("not", "(!", "(!!")
	# what gives something back
	gives = "(put|unlock|free|unmap|close|unref|release|destroy|remove|del|" \
		"uncharge|unpin|detach|delete|drop|unlink|munmap|vunmap|clear|zero|" \
		"fini|cancel|end|up_read|up_write)"
}

FNR == 1 { comment = 0 }

function point(name, line) {
	print FILENAME "\037" FNR "\037" name "\037" line
}

# What is inside of strings and comments becomes blanks, so that places in the
# result are places in the line.
function blank(line,    out, i, c, two, quote) {
	quote = ""
	for (i = 1; i <= length(line); i++) {
		c = substr(line, i, 1)
		two = substr(line, i, 2)
		if (comment) {
			if (two == "*/") {
				comment = 0
				out = out " "
				i++
			}
			out = out " "
		} else if (quote != "") {
			if (c == "\\") {
				out = out "\001"
				i++
			} else if (c == quote) {
				quote = ""
			}
			out = out "\001"
		} else if (two == "/*") {
			comment = 1
			out = out "  "
			i++
		} else if (two == "//") {
			break
		} else {
			if (c == "\"" || c == "'")
				quote = c
			out = out c
		}
	}
	return out
}

{
	code = blank($0)
	if (code !~ /^\t/ && code !~ /^  /)
		next
	if (code ~ /\\$/ || code ~ /^[ \t]*#/)
		next
	for (r = 1; r <= rules; r++) {
		rest = code
		done = 0
		while (i = index(rest, rule_from[r])) {
			at = done + i
			point(rule_name[r], substr($0, 1, at - 1) rule_to[r] \
				substr($0, at + length(rule_from[r])))
			done += i + length(rule_from[r]) - 2
			rest = substr(code, done + 1)
		}
	}
	if (match(code, /^[ \t]+if \(.*\)( \{)?$/)) {
		i = index($0, "if (")
		end = code ~ /\{$/ ? ") {" : ")"
		inside = substr($0, i + 4, length(code) - i - 3 - length(end))
		point("if never", substr($0, 1, i - 1) "if (0 && (" inside ")" end)
		point("if always", substr($0, 1, i - 1) "if (1 || (" inside ")" end)
	}
	if (match(code, /^[ \t]+return -E[A-Z0-9]+;$/))
		point("return -E", substr($0, 1, index($0, "return") - 1) "return 0;")
	if (match(code, /^[ \t]+return ret;$/))
		point("return ret", substr($0, 1, index($0, "return") - 1) "return 0;")
	if (match(code, "^[ \t]+[a-z0-9_]*" gives "[a-z0-9_]* ?\\([^=]*\\);$") &&
	    code !~ /^[ \t]+return/) {
		match($0, /[^ \t]/)
		point("call dropped", substr($0, 1, RSTART - 1) ";")
	}
	if (match(code, /^[ \t]+goto [a-z_]+;$/)) {
		match($0, /[^ \t]/)
		point("goto dropped", substr($0, 1, RSTART - 1) ";")
	}
}
