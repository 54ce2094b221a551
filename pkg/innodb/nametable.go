package innodb

// shortNames are the characters that names of files write in two after an "@", each after its code, and a space before it: what
// MariaDB 10.11 answers to CONVERT(... USING filename) for every character of the first plane.
const shortNames = "" +
	" 0GÀ 0HÁ 0IÂ 0JÃ 0KÄ 0LÅ 0MÆ 0NÇ 0OÈ 0PÉ 0QÊ 0RË 0SÌ 0TÍ 0UÎ 0VÏ 0WÐ 0XÑ 0YÒ 0ZÓ 0gà 0há 0iâ 0jã 0kä 0lå 0mæ 0nç" +
	" 0oè 0pé 0qê 0rë 0sì 0tí 0uî 0vï 0wð 0xñ 0yò 0zó 1GÔ 1HÕ 1IÖ 1KØ 1LÙ 1MÚ 1NÛ 1OÜ 1PÝ 1QÞ 1RŸ 1SĀ 1TĂ 1UĄ 1VĆ 1WĈ" +
	" 1XĊ 1YČ 1ZĎ 1gô 1hõ 1iö 1jß 1kø 1lù 1mú 1nû 1oü 1pý 1qþ 1rÿ 1sā 1tă 1uą 1vć 1wĉ 1xċ 1yč 1zď 2GĐ 2HĒ 2IĔ 2JĖ 2KĘ" +
	" 2LĚ 2MĜ 2NĞ 2OĠ 2PĢ 2QĤ 2RĦ 2SĨ 2TĪ 2UĬ 2VĮ 2XĲ 2YĴ 2ZĶ 2gđ 2hē 2iĕ 2jė 2kę 2lě 2mĝ 2nğ 2oġ 2pģ 2qĥ 2rħ 2sĩ 2tī" +
	" 2uĭ 2vį 2wı 2xĳ 2yĵ 2zķ 3HĹ 3IĻ 3JĽ 3KĿ 3LŁ 3MŃ 3NŅ 3OŇ 3QŊ 3RŌ 3SŎ 3TŐ 3UŒ 3VŔ 3WŖ 3XŘ 3YŚ 3ZŜ 3gĸ 3hĺ 3iļ 3jľ" +
	" 3kŀ 3lł 3mń 3nņ 3oň 3pŉ 3qŋ 3rō 3sŏ 3tő 3uœ 3vŕ 3wŗ 3xř 3yś 3zŝ 4GŞ 4HŠ 4IŢ 4JŤ 4KŦ 4LŨ 4MŪ 4NŬ 4OŮ 4PŰ 4QŲ 4RŴ" +
	" 4SŶ 4TŹ 4UŻ 4VŽ 4gş 4hš 4iţ 4jť 4kŧ 4lũ 4mū 4nŭ 4oů 4pű 4qų 4rŵ 4sŷ 4tź 4uż 4vž 4wſ 5yΐ 6GΆ 6HΈ 6IΉ 6JΊ 6LΑ 6NΓ" +
	" 6OΔ 6PΕ 6QΖ 6RΗ 6TΙ 6VΛ 6WΜ 6XΝ 6YΞ 6ZΟ 6gά 6hέ 6iή 6jί 6kΰ 6lα 6mβ 6nγ 6oδ 6pε 6qζ 6rη 6sθ 6tι 6uκ 6vλ 6wμ 6xν" +
	" 6yξ 6zο 7HΡ 7KΤ 7LΥ 7NΧ 7OΨ 7PΩ 7QΪ 7RΫ 7SΌ 7TΎ 7UΏ 7WΒ 7XΘ 7Yϒ 7Zϓ 7gπ 7hρ 7iς 7jσ 7kτ 7lυ 7mφ 7nχ 7oψ 7pω 7qϊ" +
	" 7rϋ 7sό 7tύ 7uώ 7wϐ 7xϑ 8Gϔ 8HΦ 8IΠ 8LϚ 8MϜ 8NϞ 8OϠ 8PϢ 8QϤ 8RϦ 8SϨ 8TϪ 8UϬ 8VϮ 8WΚ 8YΣ 8hϕ 8iϖ 8jϗ 8kϙ 8lϛ 8mϝ" +
	" 8nϟ 8oϡ 8pϣ 8qϥ 8rϧ 8sϩ 8tϫ 8uϭ 8vϯ 8wϰ 8xϱ 8yϲ 8zϳ 9LϽ 9MϾ 9NϿ 9gϵ 9h϶ 9iϸ 9jϻ 9kϼ @AⒶ @BⒷ @CⒸ @DⒹ @EⒺ @FⒻ @GⒼ" +
	" @HⒽ @IⒾ @JⒿ @KⓀ @LⓁ @MⓂ @NⓃ @OⓄ @PⓅ @QⓆ @RⓇ @SⓈ @TⓉ @UⓊ @VⓋ @WⓌ @XⓍ @YⓎ @ZⓏ @aⓐ @bⓑ @cⓒ @dⓓ @eⓔ @fⓕ @gⓖ @hⓗ @iⓘ" +
	" @jⓙ @kⓚ @lⓛ @mⓜ @nⓝ @oⓞ @pⓟ @qⓠ @rⓡ @sⓢ @tⓣ @uⓤ @vⓥ @wⓦ @xⓧ @yⓨ @zⓩ A@Ａ B@Ｂ C@Ｃ D@Ｄ E@Ｅ F@Ｆ G0А G1Ф G2Ј G3Ѹ G4Ҧ" +
	" G5Ӎ G6Ӵ G8Մ G9Ⅰ G@Ｇ GbƳ GcǞ GdȈ GeȰ GlḀ GmḨ GnṐ GoṸ GpṠ GqẾ GrỦ GsἈ GtἪ GvὬ Gwᾈ Gxᾬ H0Б H1Х H2Љ H3Ѻ H4Ҩ H6Ӷ H7Ա" +
	" H8Յ H9Ⅱ H@Ｈ HaƂ HbƵ HcǠ HdȊ HeȲ HhƝ HlḂ HmḪ HnṒ HoṺ HqỀ HrỨ HsἉ HtἫ HvὭ Hwᾉ Hxᾭ I0В I1Ц I2Њ I3Ѽ I4Ҫ I5Ӑ I6Ӹ I7Բ" +
	" I8Ն I9Ⅲ I@Ｉ IaƄ IbƸ IcǢ IdȌ IlḄ ImḬ InṔ IoṼ IqỂ IrỪ IsἊ ItἬ IvὮ Iwᾊ Ixᾮ J0Г J1Ч J2Ћ J3Ѿ J4Ҭ J5Ӓ J7Գ J8Շ J9Ⅳ J@Ｊ" +
	" JaƇ JcǤ JdȎ JgƓ JiƮ JlḆ JmḮ JnṖ JoṾ JqỄ JrỬ JsἋ JtἭ JvὯ Jwᾋ Jxᾯ K0Д K1Ш K2Ќ K3Ҁ K4Ү K5Ӕ K7Դ K8Ո K9Ⅴ K@Ｋ KaƋ KcǦ" +
	" KdȐ KhƟ KlḈ KmḰ KnṘ KoẀ KqỆ KrỮ KsἌ KtἮ KvᾺ Kwᾌ KxᾸ L0Е L1Щ L2Ѝ L4Ұ L5Ӗ L7Ե L8Չ L9Ⅵ L@Ｌ LcǨ LdȒ LiƱ LlḊ LmḲ LnṚ" +
	" LoẂ LpẠ LqỈ LrỰ LsἍ LtἯ LuὙ LvΆ Lwᾍ LxᾹ M0Ж M1Ъ M2Ў M3Ҋ M4Ҳ M5Ә M7Զ M8Պ M9Ⅶ M@Ｍ MaƑ McǪ MdȔ MgƔ MiƲ MlḌ MmḴ MnṜ" +
	" MoẄ MpẢ MqỊ MrỲ MsἎ MtἸ MvῈ Mwᾎ N0З N1Ы N2Џ N3Ҍ N4Ҵ N5Ӛ N7Է N8Ջ N9Ⅷ N@Ｎ NaǶ NbƼ NcǬ NdȖ NlḎ NmḶ NnṞ NoẆ NpẤ NqỌ" +
	" NrỴ NsἏ NtἹ NuὛ NvΈ Nwᾏ Nxᾼ NyῨ O0И O1Ь O2Ѡ O3Ҏ O4Ҷ O5Ӝ O7Ը O8Ռ O9Ⅸ O@Ｏ OaƘ ObǄ OcǮ OdȘ OeȺ OlḐ OmḸ OoẈ OpẦ OqỎ" +
	" OrỶ OsἘ OtἺ OvῊ Owᾘ OyῩ P0Й P1Э P2Ѣ P3Ґ P4Ҹ P5Ӟ P6Ԁ P7Թ P8Ս P9Ⅹ P@Ｐ PaȽ PbǇ PdȚ PeȻ PlḒ PmḺ PnṢ PoẊ PpẨ PqỐ PrỸ" +
	" PsἙ PtἻ PuὝ PvΉ Pwᾙ Q0К Q1Ю Q2Ѥ Q3Ғ Q4Һ Q5Ӡ Q6Ԃ Q7Ժ Q8Վ Q9Ⅺ Q@Ｑ QbǊ QcǱ QdȜ QeȾ QfƁ QlḔ QmḼ QnṤ QoẌ QpẪ QqỒ QsἚ" +
	" QtἼ QvῚ Qwᾚ R0Л R1Я R2Ѧ R3Ҕ R4Ҽ R5Ӣ R6Ԅ R7Ի R8Տ R9Ⅻ R@Ｒ RaȠ RbǍ RcǴ RdȞ RfƆ RgƗ RlḖ RmḾ RnṦ RoẎ RpẬ RqỔ RsἛ RtἽ" +
	" RuὟ RvΊ Rwᾛ S0М S1Ѐ S2Ѩ S3Җ S4Ҿ S5Ӥ S6Ԇ S7Լ S8Ր S9Ⅼ S@Ｓ SaƠ SbǏ ScǸ SgƖ SlḘ SmṀ SnṨ SoẐ SpẮ SqỖ SsἜ StἾ SvῸ Swᾜ" +
	" SyῬ T0Н T1Ё T2Ѫ T3Ҙ T4Ӏ T5Ӧ T6Ԉ T7Խ T8Ց T9Ⅽ T@Ｔ TaƢ TbǑ TcǺ TdȢ TfƉ TiƷ TlḚ TmṂ TnṪ ToẒ TpẰ TqỘ TsἝ TtἿ TvΌ Twᾝ" +
	" Txῌ U0О U1Ђ U2Ѭ U3Қ U4Ӂ U5Ө U6Ԋ U7Ծ U8Ւ U9Ⅾ U@Ｕ UaƤ UbǓ UcǼ UdȤ UfƊ UlḜ UmṄ UnṬ UoẔ UpẲ UqỚ UtὈ UvῪ Uwᾞ V0П V1Ѓ" +
	" V2Ѯ V3Ҝ V4Ӄ V5Ӫ V6Ԍ V7Կ V8Փ V9Ⅿ V@Ｖ VaƧ VbǕ VcǾ VdȦ VhƦ ViɁ VlḞ VmṆ VnṮ VpẴ VqỜ VtὉ VvΎ Vwᾟ W0Р W1Є W2Ѱ W3Ҟ W4Ӆ" +
	" W5Ӭ W6Ԏ W7Հ W8Ք W@Ｗ WbǗ WcȀ WdȨ WfƏ WlḠ WmṈ WnṰ WpẶ WqỞ WtὊ WuὨ WvῺ Wwᾨ X0С X1Ѕ X2Ѳ X3Ҡ X4Ӈ X5Ӯ X7Ձ X8Օ X@Ｘ XbǙ" +
	" XcȂ XdȪ XlḢ XmṊ XnṲ XpẸ XqỠ XtὋ XuὩ XvΏ Xwᾩ Y0Т Y1І Y2Ѵ Y3Ң Y4Ӊ Y5Ӱ Y7Ղ Y@Ｙ YaƬ YbǛ YcȄ YdȬ YfƐ YgƜ YhƩ YlḤ YmṌ" +
	" YnṴ YpẺ YqỢ YsἨ YtὌ YuὪ Ywᾪ YxῘ Yyῼ Z0У Z1Ї Z2Ѷ Z3Ҥ Z4Ӌ Z5Ӳ Z7Ճ Z@Ｚ ZaƯ ZbƎ ZcȆ ZdȮ ZlḦ ZmṎ ZnṶ ZpẼ ZqỤ ZsἩ ZtὍ" +
	" ZuὫ Zwᾫ ZxῙ a@ａ b@ｂ c@ｃ d@ｄ e@ｅ f@ｆ g0а g1ф g2ј g3ѹ g4ҧ g5ӎ g6ӵ g8մ g9ⅰ g@ｇ gaƀ gbƴ gcǟ gdȉ geȱ ggɝ ghɱ giʅ gjʙ" +
	" gkʭ glḁ gmḩ gnṑ goṹ gpẛ gqế grủ gsἀ gtἢ gvὤ gwᾀ gxᾤ gyῒ h0б h1х h2љ h3ѻ h4ҩ h6ӷ h7ա h8յ h9ⅱ h@ｈ haƃ hbƶ hcǡ hdȋ" +
	" heȳ hgɞ hhɲ hiʆ hjʚ hkʮ hlḃ hmḫ hnṓ hoṻ hqề hrứ hsἁ htἣ hvὥ hwᾁ hxᾥ hyΐ hzῶ i0в i1ц i2њ i3ѽ i4ҫ i5ӑ i6ӹ i7բ i8ն" +
	" i9ⅲ i@ｉ iaƅ ibƹ icǣ idȍ ieȴ igɟ ihɳ iiʇ ijʛ ikʯ ilḅ imḭ inṕ ioṽ iqể irừ isἂ itἤ ivὦ iwᾂ ixᾦ izῷ j0г j1ч j2ћ j3ѿ" +
	" j4ҭ j5ӓ j7գ j8շ j9ⅳ j@ｊ jaƈ jbƺ jcǥ jdȏ jeȵ jgɠ jhɴ jiʈ jjʜ jlḇ jmḯ jnṗ joṿ jqễ jrử jsἃ jtἥ jvὧ jwᾃ jxᾧ k0д k1ш" +
	" k2ќ k3ҁ k4ү k5ӕ k7դ k8ո k9ⅴ k@ｋ kaƌ kbƻ kcǧ kdȑ keȶ kgɡ khɵ kiʉ kjʝ klḉ kmḱ knṙ koẁ kqệ krữ ksἄ ktἦ kuὐ kvὰ kwᾄ" +
	" kxᾰ kyῖ l0е l1щ l2ѝ l4ұ l5ӗ l7ե l8չ l9ⅵ l@ｌ laƍ lcǩ ldȓ leȷ lgɢ lhɶ liʊ ljʞ llḋ lmḳ lnṛ loẃ lpạ lqỉ lrự lsἅ ltἧ" +
	" luὑ lvά lwᾅ lxᾱ lyῗ m0ж m1ъ m2ў m3ҋ m4ҳ m5ә m7զ m8պ m9ⅶ m@ｍ maƒ mbƾ mcǫ mdȕ meȸ mgɣ mhɷ miʋ mjʟ mlḍ mmḵ mnṝ moẅ" +
	" mpả mqị mrỳ msἆ mtἰ muὒ mvὲ mwᾆ mxᾲ n0з n1ы n2џ n3ҍ n4ҵ n5ӛ n7է n8ջ n9ⅷ n@ｎ naƕ nbƽ ncǭ ndȗ neȹ nfɐ ngɤ nhɸ niʌ" +
	" njʠ nlḏ nmḷ nnṟ noẇ npấ nqọ nrỵ nsἇ ntἱ nuὓ nvέ nwᾇ nxᾳ nyῠ o0и o1ь o2ѡ o3ҏ o4ҷ o5ӝ o7ը o8ռ o9ⅸ o@ｏ oaƙ obǆ ocǯ" +
	" odș ofɑ ogɥ ohɹ oiʍ ojʡ olḑ omḹ onṡ ooẉ opầ oqỏ orỷ osἐ otἲ ouὔ ovὴ owᾐ oxᾴ oyῡ p0й p1э p2ѣ p3ґ p4ҹ p5ӟ p6ԁ p7թ" +
	" p8ս p9ⅹ p@ｐ paƚ pbǉ pcǰ pdț peȼ pfɒ pgɦ phɺ piʎ pjʢ plḓ pmḻ pnṣ poẋ ppẩ pqố prỹ psἑ ptἳ puὕ pvή pwᾑ pyῢ q0к q1ю" +
	" q2ѥ q3ғ q4һ q5ӡ q6ԃ q7ժ q8վ q9ⅺ q@ｑ qaƛ qbǌ qcǳ qdȝ qfɓ qgɧ qhɻ qiʏ qjʣ qlḕ qmḽ qnṥ qoẍ qpẫ qqồ qsἒ qtἴ quὖ qvὶ" +
	" qwᾒ qxᾶ qyΰ r0л r1я r2ѧ r3ҕ r4ҽ r5ӣ r6ԅ r7ի r8տ r9ⅻ r@ｒ raƞ rbǎ rcǵ rdȟ reȿ rfɔ rgɨ rhɼ riʐ rjʤ rlḗ rmḿ rnṧ roẏ" +
	" rpậ rqổ rsἓ rtἵ ruὗ rvί rwᾓ rxᾷ ryῤ s0м s1ѐ s2ѩ s3җ s4ҿ s5ӥ s6ԇ s7լ s8ր s9ⅼ s@ｓ saơ sbǐ scǹ sdȡ seɀ sfɕ sgɩ shɽ" +
	" siʑ sjʥ slḙ smṁ snṩ soẑ spắ sqỗ ssἔ stἶ svὸ swᾔ sxῂ syῥ t0н t1ё t2ѫ t3ҙ t5ӧ t6ԉ t7խ t8ց t9ⅽ t@ｔ taƣ tbǒ tcǻ tdȣ" +
	" tfɖ tgɪ thɾ tiʒ tjʦ tlḛ tmṃ tnṫ toẓ tpằ tqộ tsἕ ttἷ tvό twᾕ txῃ tyῦ u0о u1ђ u2ѭ u3қ u4ӂ u5ө u6ԋ u7ծ u8ւ u9ⅾ u@ｕ" +
	" uaƥ ubǔ ucǽ udȥ ufɗ ugɫ uhɿ uiʓ ujʧ ulḝ umṅ unṭ uoẕ upẳ uqớ utὀ uvὺ uwᾖ uxῄ uyῧ v0п v1ѓ v2ѯ v3ҝ v4ӄ v5ӫ v6ԍ v7կ" +
	" v8փ v9ⅿ v@ｖ vaƨ vbǖ vcǿ vdȧ vfɘ vgɬ vhʀ viʔ vjʨ vlḟ vmṇ vnṯ voẖ vpẵ vqờ vtὁ vvύ vwᾗ w0р w1є w2ѱ w3ҟ w4ӆ w5ӭ w6ԏ" +
	" w7հ w8ք w@ｗ waƪ wbǘ wcȁ wdȩ wfə wgɭ whʁ wiʕ wjʩ wlḡ wmṉ wnṱ woẗ wpặ wqở wtὂ wuὠ wvὼ wwᾠ wxῆ x0с x1ѕ x2ѳ x3ҡ x4ӈ" +
	" x5ӯ x7ձ x8օ x@ｘ xaƫ xbǚ xcȃ xdȫ xfɚ xgɮ xhʂ xiʖ xjʪ xlḣ xmṋ xnṳ xoẘ xpẹ xqỡ xtὃ xuὡ xvώ xwᾡ xxῇ xyῲ y0т y1і y2ѵ" +
	" y3ң y4ӊ y5ӱ y7ղ y@ｙ yaƭ ybǜ ycȅ ydȭ yfɛ ygɯ yhʃ yiʗ yjʫ ylḥ ymṍ ynṵ yoẙ ypẻ yqợ ysἠ ytὄ yuὢ ywᾢ yxῐ yyῳ z0у z1ї" +
	" z2ѷ z3ҥ z4ӌ z5ӳ z7ճ z@ｚ zaư zbǝ zcȇ zdȯ zfɜ zgɰ zhʄ ziʘ zjʬ zlḧ zmṏ znṷ zoẚ zpẽ zqụ zsἡ ztὅ zuὣ zwᾣ zxῑ"
