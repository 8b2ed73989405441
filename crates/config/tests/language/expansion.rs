//! What the text becomes before it is read: definitions, sequences, conditions and includes.

use super::{check, run};

#[test]
fn definitions() {
    check(&[
        ("$KW=bogus\n$KW 1\n", 5, &["Unknown keyword 'bogus'"]),
        ("$P=bog\n${P}us 1\n", 5, &["Unknown keyword 'bogus'"]),
        ("$P=bog\n$Pus 1\n", 5, &["Unknown keyword '$Pus'"]),
        (
            "$P=bogus\nx-$P-y\nx.$P,y\n",
            5,
            &["'x-$P-y'", "'x.bogus,y'"],
        ),
        ("bogus_$NOPE\n", 5, &["Unknown keyword 'bogus_$NOPE'"]),
        ("$P=a\n$P=bogus2\n$P\n", 5, &["'bogus2'"]),
        ("$A=us\n$B=bog${A}\n$B\n", 5, &["'bogus'"]),
        ("$B=bog${A}\n$A=us\n$B\n", 5, &["'bogus'"]),
        ("$P =bogus\n$P\n", 5, &["Unknown keyword '$P'", "'$P'"]),
        ("$P=   bogus\nx$P.\n${P}x\n", 5, &["'x$P.'", "'bogusx'"]),
        ("$P=\"bogus two\"\n$P x\n", 5, &["'bogus two'"]),
        ("$1P=bogus\n", 5, &["'$1P=bogus'"]),
        ("global_defs {\n$P=bogus\n$P\n}\n", 5, &["'bogus'"]),
        (
            "$M=\\\nbogus1 x \\\nbogus2 y\n$M\n",
            5,
            &["'bogus1'", "'bogus2'"],
        ),
        (
            "$M=\\\nbogus1 \\\nbogus2\nfirst $M\n",
            5,
            &["'first'", "'bogus2'"],
        ),
        ("$M=\\\nbogus1 \\\nbogus2\nfirst $M last\n", 5, &["'first'"]),
        ("$M(a)=bogus $a\n$M(1)\n", 5, &["'$M(a)=bogus'", "'$M(1)'"]),
        (
            "$N=z\n$M=\\\nbogus_${N} \\\nbogus2_${N}\n$M\n",
            5,
            &["'bogus_z'", "'bogus2_z'"],
        ),
        ("bogus_${_PWD}\n", 5, &["'bogus_.'"]),
        ("bogus_$_INSTANCE\n", 5, &["'bogus_idA'"]),
        ("bogus_${_RANDOM 3 3}\n", 5, &["'bogus_3'"]),
        (
            "bogus_${_RANDOM a}\n",
            5,
            &["Definition _RANDOM requires numeric parameters only."],
        ),
        (
            "bogus_${_RANDOM 9 3}\n",
            5,
            &["${_RANDOM}: min 9 exceeds max 3, using 9", "'bogus_9'"],
        ),
        ("bogus_${_ENV KAX}\n", 5, &["'bogus_hello'"]),
        ("bogus_${_ENV KAX_UNSET}.\n", 5, &["'bogus_.'"]),
        ("bogus_${_ENV}\n", 5, &["${_ENV} needs the name"]),
        ("bogus_${_HASH}${_BANG}\n", 5, &["'bogus_'"]),
        ("$_HASH=z\nbogus_$_HASH\n", 5, &["'bogus_z'"]),
        (
            "$IF=$IF\n$IF\n",
            5,
            &["the definition $IF expands without end"],
        ),
    ]);
    let loaded = run(&format!("$L={}\n$L,$L\n", "y".repeat(600)));
    let long = format!("Unknown keyword '{},$L'", "y".repeat(600));
    assert!(loaded.diagnostics.iter().any(|d| d.message == long));
}

#[test]
fn sequences() {
    check(&[
        (
            "~SEQ(x, 1, 3) bogus$x\n",
            5,
            &["'bogus1'", "'bogus2'", "'bogus3'"],
        ),
        (
            "~SEQ(x, 10, -5, 0) bogus_${x}\n",
            5,
            &["'bogus_10'", "'bogus_5'", "'bogus_0'"],
        ),
        ("~SEQ(x, 2) bogus_${x}\n", 5, &["'bogus_1'", "'bogus_2'"]),
        (
            "~SEQx(x, 9, 11) bogus_${x}\n",
            5,
            &["'bogus_9'", "'bogus_a'", "'bogus_b'"],
        ),
        (
            "~SEQ(x, 1, 2) ~SEQ(y, 1, 2) bogus_${x}_${y}\n",
            5,
            &["_1_1'", "_1_2'", "_2_1'", "_2_2'"],
        ),
        (
            "$E=2\n~SEQ(x, 1, $E) bogus_${x}\n",
            5,
            &["'bogus_1'", "'bogus_2'"],
        ),
        (
            "~SEQ(x, 3, 1, 1) bogus_${x}\n",
            5,
            &["Invalid ~SEQ values '~SEQ(x, 3, 1, 1) bogus_${x}'"],
        ),
        ("~SEQ x\n", 5, &["Invalid ~SEQ specification '~SEQ x'"]),
        (
            "$M=\\\nA_${x} \\\nB_${x}\n~SEQ(x, 1, 2) $M\n",
            5,
            &["'A_1'", "'B_1'", "'A_2'", "'B_2'"],
        ),
        (
            "~LST(v, aa, bb) bogus_${v}\n",
            5,
            &["'bogus_aa'", "'bogus_bb'"],
        ),
        (
            "~LST({v, w}, {a, 1}, {b, 2}) bogus_${v}_${w}\n",
            5,
            &["'bogus_a_1'", "'bogus_b_2'"],
        ),
        (
            "~LST({v, w}, {a}, {b, 2}) bogus_${v}_${w}.\n",
            5,
            &["'bogus_a_.'", "'bogus_b_2.'"],
        ),
        (
            "~LST(v, {a, b}) bogus_${v}\n",
            5,
            &["~LST specification has too many values"],
        ),
        (
            "$S=~SEQ(x,1,2) bogus_$x\n$S\n",
            5,
            &["'bogus_1'", "'bogus_2'"],
        ),
        ("<SEQ>\n", 5, &["Unknown keyword '<SEQ>'"]),
        ("@bookmark\n", 0, &[]),
        ("~SEQ(x, 1, 99999999) bogus\n", 5, &["rounds at most"]),
        ("$M=\\\na \\\n$M\n$M\n", 5, &["Unknown keyword 'a'"]),
    ]);
}

#[test]
fn conditions() {
    check(&[
        ("@idA bogus 1\n", 5, &["'bogus'"]),
        ("@idB bogus 1\n", 0, &[]),
        ("@^idB @idA bogus 1\n", 5, &["Unknown keyword '@idA'"]),
        ("@^idB bogus 1\n@^idA bogus 2\n", 5, &["'bogus'"]),
        ("@!idB bogus 1\n", 0, &[]),
        ("@ idA bogus 1\n", 0, &[]),
        ("@${_INSTANCE} bogus 1\n", 0, &[]),
        (
            "@idB vrrp_instance V {\ninterface eth0\n}\n",
            5,
            &["Unknown keyword 'interface'", "Extra '}' found"],
        ),
        ("@idA $P=bogusA\n@idB $P=bogusB\n$P\n", 5, &["'bogusA'"]),
        ("@idA include ./i1.inc\n", 5, &["'bogus_1'"]),
        ("$C=@idB hidden\n$C\n", 0, &[]),
    ]);
}

#[test]
fn includes() {
    check(&[
        ("include ./i1.inc\n", 5, &["'bogus_1'"]),
        (
            "include \"./i1.inc\"\n",
            0,
            &["Config files missing '\"./i1.inc\"'."],
        ),
        ("include ./i*.inc\n", 5, &["'bogus_1'", "'bogus_2'"]),
        (
            "include ./{i1,i9}.inc\n",
            5,
            &["Some config files missing: \"./{i1,i9}.inc\".", "'bogus_1'"],
        ),
        (
            "includeb ./{i1,i9}.inc\n",
            6,
            &["Some config files missing: \"./{i1,i9}.inc\"."],
        ),
        (
            "include ./none.inc\n",
            0,
            &["Config files missing './none.inc'."],
        ),
        ("include ./none*.inc\n", 0, &[]),
        (
            "include /nonexist/d/*.conf\n",
            0,
            &["Config files missing '/nonexist/d/*.conf'."],
        ),
        (
            "includem /nonexist/d/*.conf\n",
            6,
            &["Config files missing"],
        ),
        (
            "includer ./none.inc\n",
            0,
            &["Config files missing './none.inc'."],
        ),
        (
            "includem ./none.inc\n",
            6,
            &["Config files missing './none.inc'."],
        ),
        ("includem ./none*.inc\n", 0, &[]),
        (
            "includew ./none*.inc\n",
            6,
            &["No config files matched './none*.inc'."],
        ),
        (
            "includea ./none*.inc\n",
            6,
            &["No config files matched './none*.inc'."],
        ),
        ("include ./sub\n", 0, &["is a directory - skipping"]),
        ("includer ./sub\n", 6, &["is a directory - skipping"]),
        (
            "include ./exec.inc\n",
            0,
            &["is not a regular non-executable file - skipping"],
        ),
        (
            "includer ./exec.inc\n",
            6,
            &["is not a regular non-executable file - skipping"],
        ),
        ("include ./sub/a.inc\n", 5, &["'bogus_b'"]),
        ("include ./opens.inc\nrouter_id a\n}\n", 0, &[]),
        ("static_ipaddress {\ninclude ./address.inc\n}\n", 0, &[]),
        // keepalived reads the file until it has no descriptors left, and then goes on.
        ("include main.conf\n", 5, &["includes itself"]),
        ("$F=i1\ninclude ./${F}.inc\n", 5, &["'bogus_1'"]),
        ("include\n", 5, &["Unknown keyword 'include'"]),
        ("includez ./i1.inc\n", 5, &["Unknown keyword 'includez'"]),
        (
            "global_defs {\ninclude_check\n}\ninclude ./none.inc\n",
            6,
            &["Config files missing"],
        ),
        (
            "global_defs {\ninclude_check read\n}\ninclude ./none.inc\nincluder ./none*.inc\n",
            0,
            &["Config files missing"],
        ),
        (
            "global_defs {\ninclude_check +wildcard_match\n}\ninclude ./none*.inc\n",
            6,
            &["No config files matched"],
        ),
        (
            "include ./checks.inc\ninclude ./none.inc\n",
            0,
            &["Config files missing"],
        ),
    ]);
}
