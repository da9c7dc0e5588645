# What runs on the server during a session, in whatever POSIX shell `sh` is there. How it is started and spoken to is in `protocol.rs`.
# Nothing secret is ever an argument of a program here: contents go through standard input and files alone.
LC_ALL=C
export LC_ALL
unset CDPATH
umask 077
set -f
IFS= read -r mark || exit 1
IFS= read -r project || exit 1
tmp=
held=

say() {
    printf '%s %s\n' "$mark" "$*"
}

fail() {
    say fail "$@"
    exit 1
}

# Ends with the reason that a program gave; only its first line counts.
failed() {
    case $1 in
    *'o space left'* | *'uota exceeded'*) fail disk_full ;;
    *'ead-only file system'*) fail read_only ;;
    *'ermission denied'* | *'not permitted'*) fail denied ;;
    esac
    said=$(printf '%s\n' "$1" | sed 1q)
    fail other "$said"
}

leave() {
    [ -z "$tmp" ] || rm -f "$tmp"
    [ -z "$held" ] || rm -f "$held"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM PIPE

if command -v sha256sum >/dev/null 2>&1; then
    kind=sha256
    sum() { sha256sum; }
elif command -v shasum >/dev/null 2>&1; then
    kind=sha256
    sum() { shasum -a 256; }
else
    kind=cksum
    sum() { cksum | tr ' ' -; }
fi

digest() {
    set -- $(sum <"$1")
    printf %s "$1"
}

is_dead() {
    case $(kill -0 "$1" 2>&1) in
    *'o such process'*) return 0 ;;
    esac
    return 1
}

# The system's lock where there is a program for it: every dango process takes the same one. Else a symbolic link, made in one step,
# that says who holds it; one of a process that died on this very host is removed, by one at a time.
lock() {
    tries=0
    if command -v flock >/dev/null 2>&1; then
        [ ! -h "$folder/$name.lock" ] || fail other "$name.lock is a symbolic link"
        said=$({ : >>"$folder/$name.lock"; } 2>&1) || failed "$said"
        [ "$me" != 0 ] || chown -h "$owner" "$folder/$name.lock"
        exec 9>>"$folder/$name.lock"
        until flock -n 9 2>/dev/null; do
            wait_for_lock "$name.lock"
        done
        return
    fi
    link=$folder/$name.lock.held
    self=$$@$(uname -n)
    until said=$(ln -s "$self" "$link" 2>&1); do
        case $said in
        *xists*) ;;
        *) failed "$said" ;;
        esac
        holder=$(ls -ld "$link" 2>/dev/null)
        holder=${holder##*-> }
        if [ "${holder#*@}" = "${self#*@}" ] && is_dead "${holder%%@*}" && ln -s "$self" "$link.break" 2>/dev/null; then
            now=$(ls -ld "$link" 2>/dev/null)
            [ "${now##*-> }" != "$holder" ] || rm -f "$link"
            rm -f "$link.break"
        else
            wait_for_lock "$name.lock.held"
        fi
    done
    held=$link
}

wait_for_lock() {
    tries=$((tries + 1))
    [ "$tries" -le 300 ] || fail locked "$1"
    sleep 0.1 2>/dev/null || {
        sleep 1
        tries=$((tries + 9))
    }
}

unlock() {
    if [ -n "$held" ]; then
        rm -f "$held"
        held=
    else
        exec 9>&-
    fi
}

printf '\n%s hello\n' "$mark"

case $project in
'~') project=$HOME ;;
'~/'*) project=$HOME/${project#'~/'} ;;
/*) ;;
*) project=./$project ;;
esac
[ -d "$project" ] || fail no_project
cd "$project" 2>/dev/null || fail no_entry

file=./.env
links=0
while [ -h "$file" ]; do
    links=$((links + 1))
    [ "$links" -le 40 ] || fail dangling
    target=$(readlink "$file") || fail other 'there is no readlink'
    case $target in
    /*) file=$target ;;
    *) file=${file%/*}/$target ;;
    esac
done
folder=${file%/*}
[ -n "$folder" ] || folder=/
name=${file##*/}

tool=none
[ ! -d .dango ] || ! command -v dango >/dev/null 2>&1 || tool=dango
if [ -e "$file" ]; then
    [ -f "$file" ] || fail not_regular
    [ -r "$file" ] || fail unreadable
    size=$(wc -c <"$file") || fail unreadable
    size=$((size))
    [ "$size" -le 16777216 ] || fail too_large
    old=$(digest "$file")
    set -- $(ls -ldn "$file")
    owner=$3:$4
    say file "$kind" "$tool" "$1" "$size"
    cat "$file" || exit 1
    printf '\n%s read %s\n' "$mark" "$old"
else
    [ "$links" = 0 ] || fail dangling
    set -- $(ls -ldn "$folder")
    owner=$3:$4
    say absent "$kind" "$tool"
fi

# Here the client decides; one that has seen enough, or is gone, closes the stream.
read -r verb old new || exit 0
me=$(id -u)
case $verb in
set | unset)
    [ "$tool" = dango ] || fail other 'there is no dango'
    if [ "$verb" = set ]; then
        said=$(dango --project . --yes env set "$old" --raw 2>&1)
    else
        said=$(dango --project . env unset "$old" 2>&1 </dev/null)
    fi
    status=$?
    printf '%s dango %s\n%s\n%s end\n' "$mark" "$status" "$said" "$mark"
    exit 0
    ;;
write) ;;
*) exit 0 ;;
esac

# The contents come in before the lock is taken, so no lock is held while the network is waited for.
if [ "$me" != 0 ] && [ -e "$file" ] && [ "${owner%%:*}" != "$me" ]; then
    fail not_ours
fi
tmp=$folder/.$name.remote-$$-$mark.tmp
said=$({ set -C && cat >"$tmp"; } 2>&1) || failed "$said"
[ "$(digest "$tmp")" = "$new" ] || fail cut
[ "$me" != 0 ] || chown -h "$owner" "$tmp" 2>/dev/null || fail denied
chmod 600 "$tmp" || fail denied
if ! said=$(sync "$tmp" 2>&1); then
    case $said in
    *'nput/output'* | *'o space left'*) failed "$said" ;;
    *) sync || fail other 'sync failed' ;;
    esac
fi

lock
set +f
for stale in "$folder/.$name.remote-"*.tmp; do
    process=${stale##*.remote-}
    process=${process%%-*}
    [ "$stale" = "$tmp" ] || [ ! -f "$stale" ] || ! is_dead "$process" || rm -f "$stale"
done
set -f
now=absent
[ ! -e "$file" ] && [ ! -h "$file" ] || now=$(digest "$file" 2>/dev/null)
if [ "$now" != "$old" ]; then
    unlock
    say changed
    exit 0
fi
# One who has gone meanwhile does not want it any longer: then this ends here.
say locked || exit 1
said=$(mv -f "$tmp" "$file" 2>&1) || failed "$said"
tmp=
ending=done
sync "$folder" 2>/dev/null || sync || ending=not_durable
unlock
say "$ending"
